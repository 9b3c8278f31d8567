"""Train an architecture and write its checkpoint and card."""

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
from workbench.evaluation.uncompressed_file import FILE_BYTES, computed_bytes

Report = Callable[[int, float], None]


def make_checkpoint(
    architecture: Architecture,
    plan: TrainingPlan,
    splits: tuple[Split, Split, Split],
    path: Path,
    report: Report = lambda epoch, value: None,
) -> None:
    """Train, select an epoch on validation, evaluate, and write the checkpoint and its card.

    Parameters
    ----------
    architecture
        The architecture to train.
    plan
        The training plan.
    splits
        Training, validation and test. The test split is only evaluated at the end.
    path
        The ``.safetensors`` file to write. The card has the suffix ``.json``.
    report
        Called after each epoch with its number and the metric on validation.
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
        report=lambda epoch, score: report(epoch, sign * score),
    )
    seconds = time.perf_counter() - started
    content = save(weights)
    card = {
        "name": architecture.name,
        **measure_card(model, weights, validation, test),
        "original_bytes": len(content),
        FILE_BYTES: computed_bytes(model, weights),
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
