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
from workbench.domain.inputs import targets
from workbench.domain.model import Architecture, Model
from workbench.domain.task import Split
from workbench.domain.training_plan import TrainingPlan
from workbench.evaluation.model_card import measure_card
from workbench.evaluation.scores import reference_score

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
        validate=lambda candidate: sign * reference_score(model, candidate, validation).value,
        report=lambda epoch, good: report(epoch, sign * good),
    )
    seconds = time.perf_counter() - started
    content = save(weights)
    card = {
        "name": architecture.name,
        **measure_card(model, weights, validation, test),
        "original_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
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
