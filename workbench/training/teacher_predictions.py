"""What a teacher thinks of some examples it is not sure about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from workbench.cache.memory import MemoryCache
from workbench.domain import Model
from workbench.errors import WorkbenchError
from workbench.training.teacher import as_teacher
from workbench.training.teacher_ref import TeacherRef, resolve_teacher
from workbench.zoo.readable import ReadableExamples

EXAMPLES = 8
LOOKED_AT = 1000
KEPT = 16
"""Teachers whose opinions are kept."""


@dataclass(frozen=True, eq=False)
class TeacherPrediction:
    """An example as it is looked at, its label, and the teacher's logits, one for each class.

    `content` is what `read` gives: an image, words, frames of a sound, or None.
    """

    content: Any
    label: int
    outputs: tuple[float, ...]


_kept: MemoryCache[tuple[TeacherPrediction, ...]] = MemoryCache(KEPT)


def teacher_predictions(student: Model, teacher: str) -> tuple[TeacherPrediction, ...]:
    """Return the validation examples, of the first thousand, about which the teacher is in doubt.

    `teacher` is written as in a recipe.

    Raises
    ------
    WorkbenchError
        When the task knows no classes to be in doubt between, or there is no such teacher.
    """
    if student.task.metric.counts != "classes":
        raise WorkbenchError(
            f"A teacher can be asked about classes, and {student.task.title} is measured by "
            f"{student.task.metric.name}."
        )
    named = resolve_teacher(teacher, student)
    key = named.model.key, named.model.digest, named.recipe
    return _kept.of(key, lambda: _opinions(named), named.model.architecture.lifetime)


def _opinions(named: TeacherRef) -> tuple[TeacherPrediction, ...]:
    chosen, recipe = named
    split = chosen.task.split("validation")
    examples, labels = split.examples[:LOOKED_AT], split.labels[:LOOKED_AT]
    outputs = as_teacher(chosen, recipe).on(chosen.task.inputs(examples))
    best = torch.softmax(outputs, dim=1).topk(2, dim=1).values
    doubt = (best[:, 0] - best[:, 1] - 0.5).abs()  # neither sure nor torn
    picked = doubt.argsort(stable=True)[:EXAMPLES].tolist()
    reader = ReadableExamples(chosen.task, examples)
    return tuple(
        TeacherPrediction(
            reader[n],
            int(labels[n]),
            tuple(outputs[n].tolist()),
        )
        for n in picked
    )
