"""From an architecture and its task to a checkpoint and the card beside it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save

from workbench.checkpoints.loop import train
from workbench.evaluation.report import Score
from workbench.evaluation.resources import layers, macs, peak_memory
from workbench.evaluation.scores import judge_score
from workbench.zoo.builtin import Architecture, Model
from workbench.zoo.data import Split
from workbench.zoo.forms import targets
from workbench.zoo.plan import TrainingPlan

Report = Callable[[int, float], None]


def make_checkpoint(
    architecture: Architecture,
    plan: TrainingPlan,
    splits: tuple[Split, Split, Split],
    path: Path,
    report: Report = lambda epoch, figure: None,
) -> None:
    """Train, choose on validation, measure, and write ``path`` and the card beside it.

    Parameters
    ----------
    architecture : what to train
    plan : how to train it
    splits : train, validation and test; the test split is only measured, at the end
    path : the ``.safetensors`` file to write; the card has the suffix ``.json``
    report : called after each epoch with its number and the figure on validation
    """
    training, validation, test = splits
    model = Model(architecture, card={})
    sign = 1 if architecture.task.metric.higher_is_better else -1
    started = time.perf_counter()
    weights = train(
        architecture.build,
        plan,
        architecture.task.inputs(training.examples),
        targets(training.labels),
        validate=lambda candidate: sign * judge_score(model, candidate, validation).value,
        report=lambda epoch, good: report(epoch, sign * good),
    )
    seconds = time.perf_counter() - started
    content = save(weights)
    accuracy = {
        split.name: _counted(judge_score(model, weights, split)) for split in (validation, test)
    }
    card = {
        "name": architecture.name,
        "parameters": sum(p.numel() for p in model.module().parameters()),
        "macs": macs(model, weights),
        "peak_memory": peak_memory(model, weights),
        "layers": layers(model, weights),
        "tensors": {name: list(tensor.shape) for name, tensor in weights.items()},
        "original_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "accuracy": accuracy,
        "training": {
            "command": f"python -m workbench.checkpoints {architecture.name}",
            "seconds": round(seconds, 1),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "examples": len(training),
            **asdict(plan),
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    text = json.dumps(card, indent=2) + "\n"
    path.with_suffix(".json").write_text(text, encoding="utf-8", newline="\n")


def _counted(score: Score) -> dict[str, float]:
    """Return what a card says of an original's score."""
    if score.confusion:
        right = sum(row[place] for place, row in enumerate(score.confusion))
        return {"correct": right, "examples": score.total}
    return {**score.figures, "value": score.value, "examples": score.total}
