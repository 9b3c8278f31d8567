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

from workbench.checkpoints.loop import Weights, train
from workbench.evaluation.judge import predict
from workbench.evaluation.resources import layers, macs, peak_memory
from workbench.zoo.builtin import Architecture, Model
from workbench.zoo.data import Split
from workbench.zoo.plan import TrainingPlan

Report = Callable[[int, int], None]


def make_checkpoint(
    architecture: Architecture,
    plan: TrainingPlan,
    splits: tuple[Split, Split, Split],
    path: Path,
    report: Report = lambda epoch, correct: None,
) -> None:
    """Train, choose on validation, measure, and write ``path`` and the card beside it.

    Parameters
    ----------
    architecture : what to train
    plan : how to train it
    splits : train, validation and test; the test split is only measured, at the end
    path : the ``.safetensors`` file to write; the card has the suffix ``.json``
    report : called after each epoch with its number and the correct validation predictions
    """
    training, validation, test = splits
    model = Model(architecture, card={})
    started = time.perf_counter()
    weights = train(
        architecture.build,
        plan,
        architecture.task.inputs(training.images),
        torch.tensor(training.labels).long(),
        validate=lambda candidate: _correct(model, candidate, validation),
        report=report,
    )
    seconds = time.perf_counter() - started
    content = save(weights)
    accuracy = {
        split.name: {
            "correct": _correct(model, weights, split),
            "examples": len(split),
        }
        for split in (validation, test)
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


def _correct(model: Model, weights: Weights, split: Split) -> int:
    return int((predict(model, weights, split.images) == split.labels).sum())
