"""Train the shipped students and write their files, their table and the teachers' examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from workbench.artifact.artifact import Artifact, load
from workbench.artifact.writing import write_atomic
from workbench.cache.files import FileCache
from workbench.domain import Model
from workbench.domain.inputs import targets
from workbench.errors import ArtifactError, FileError
from workbench.evaluation.intervals import wilson
from workbench.evaluation.model_card import FIGURES, figures_entry, score_entry
from workbench.evaluation.scores import reference_score
from workbench.evaluation.uncompressed_file import FILE_BYTES, computed_bytes
from workbench.experiments.machine import machine_kind
from workbench.experiments.processes import ENVIRONMENT
from workbench.recipe import Recipe
from workbench.training.compress import compress
from workbench.training.teacher import as_teacher
from workbench.zoo import model
from workbench.zoo.student_model import student_architecture
from workbench.zoo.students import TABLE, TEACHERS, THREADS, Student, students
from workbench.zoo.teacher_examples import EXAMPLES

CANDIDATES, SHOWN = 1000, 24
"""The first validation images, and how many of them are examples of the teachers."""


def make_students(report: Callable[[str], None]) -> None:
    """Train each student that has no file yet, then write the table and the teachers' examples.

    One student trains on each core. A killed command continues with the students that it was
    training. `report` is called with a line for each student.
    """
    from joblib import cpu_count
    from joblib.externals.loky import ProcessPoolExecutor

    entries = {}
    pool = ProcessPoolExecutor(max_workers=cpu_count(), env=ENVIRONMENT)
    for student, entry in zip(students(), pool.map(train_shipped, students()), strict=True):
        entries[student.name] = entry
        report(f"{student.name}: {entry}")
    write_json(TABLE, {"machine": machine_kind(THREADS), "students": entries})
    write_json(EXAMPLES, teacher_examples(TEACHERS))


def train_shipped(student: Student) -> dict[str, Any]:
    """Return the table's entry of a student; train it unless there is a file with its recipe."""
    try:
        artifact: Artifact | None = load(student.path)
    except (FileError, ArtifactError):
        artifact = None
    if artifact is None or artifact.recipe != student.recipe:
        artifact = compress(model(student.network), student.recipe, files=FileCache(None))
        student.path.parent.mkdir(parents=True, exist_ok=True)
        artifact.save(student.path)
    return _entry(student, artifact)


def _entry(student: Student, artifact: Artifact) -> dict[str, Any]:
    network, weights = model(student.network), artifact.operands()
    architecture = student_architecture(student, network)
    scores = {
        name: reference_score(network, weights, network.task.split(name))
        for name in ("validation", "test")
    }
    accuracy = {name: score_entry(score) for name, score in scores.items()}
    interval = wilson(
        int(accuracy["validation"]["correct"]), int(accuracy["validation"]["examples"])
    )
    return {
        "bytes": len(artifact),
        FILE_BYTES: computed_bytes(Model(architecture, network.card), weights),
        "digest": artifact.digest,
        "accuracy": accuracy,
        FIGURES: figures_entry(network, weights, scores["validation"]),
        "interval": [round(end, 6) for end in interval],
    }


def teacher_examples(teachers: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the logits of `teachers` for the same images, two or three of each class.

    They are those of the first validation images whose two most probable classes are, over all
    teachers, closest to halfway between certain and undecided.
    """
    split = model(teachers[0]).task.split("validation")
    examples, labels = split.examples[:CANDIDATES], targets(split.labels[:CANDIDATES])
    logits = {name: _logits(model(name), examples) for name in teachers}
    top = torch.stack([torch.softmax(z, dim=1).topk(2, dim=1).values for z in logits.values()])
    distance = (top[..., 0] - top[..., 1] - 0.5).abs().sum(dim=0)
    best = distance.argsort(stable=True)
    rank = torch.zeros(CANDIDATES, dtype=torch.int64)
    for label in labels.unique():
        of_class = best[labels[best] == label]
        rank[of_class] = torch.arange(len(of_class))
    chosen = sorted(best[rank[best].argsort(stable=True)][:SHOWN].tolist())
    return {
        name: [
            {
                "index": index,
                "label": int(labels[index]),
                "logits": [round(value, 4) for value in outputs[index].tolist()],
            }
            for index in chosen
        ]
        for name, outputs in logits.items()
    }


def _logits(teacher: Model, examples: Any) -> torch.Tensor:
    return as_teacher(teacher, Recipe()).predict(teacher.task.inputs(examples))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, the same on every system."""
    write_atomic(path, (json.dumps(content, indent=1) + "\n").encode())
