"""Small networks that are trained on uploaded data and registered as models."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench import formatting
from workbench.cancel import NEVER, CancelToken
from workbench.checkpoints.loop import Weights, train
from workbench.custom.model import model_of
from workbench.custom.pictures.network import picture_network
from workbench.custom.prediction.description import Description
from workbench.custom.uploads.splits import SEED, UploadedData
from workbench.custom.uploads.time_limit import Step, train_within
from workbench.domain import Model, Split, Task
from workbench.domain.inputs import targets
from workbench.domain.losses import label_loss
from workbench.domain.metric import ACCURACY, R2
from workbench.domain.task import digest_of
from workbench.domain.training_plan import TrainingPlan
from workbench.domain.user_architecture import UserSplit
from workbench.i18n import _
from workbench.threads import threads
from workbench.zoo.registry import register_model
from workbench.zoo.tables import CUSTOM_PREFIX

HIDDEN = (64, 64)
STEPS = {"custom": 1500, "image": 400}
"""Training steps by the input type of the task, within the limits on epochs."""
MIN_EPOCHS = 3
MAX_EPOCHS = 100
BATCHES = (16, 512)
"""The smallest and the largest batch size; in between, 1/30 of the examples."""
LEARNING_RATE = 0.005
SHIFT = 12
"""Pictures are shifted by up to 1/12 of their side."""
AVERAGED = 25
"""The weight average spans 1/25 of all steps, from 5 to 100 steps."""
THREADS = {"custom": 1, "image": 2}
"""Fixed, because the trained weights depend on the number of threads; more would not be faster."""
BATCH_NUMBERS = 2_000_000
"""The most numbers in the inputs of a batch."""


def train_small_model(
    name: str,
    data: UploadedData,
    cancel: CancelToken = NEVER,
    *,
    seconds: float | None = None,
) -> Model:
    """Return a small network trained on `data` and registered as ``custom/name``.

    Parameters
    ----------
    seconds
        The longest time to train; by default as long as the number of examples needs. If it ends
        the training early, the model's `notes` say so.
    cancel
        Checked between two steps; receives the progress.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two steps; nothing is then registered.
    """
    task = _task(name, data)
    examples = data.parts["train"][0]
    is_image = data.input_type == "image"
    inputs = torch.from_numpy(examples) if is_image else task.inputs(examples)
    example = task.inputs(examples[:1])
    module = _build(example, data).eval()

    def step(fraction: float) -> None:
        cancel.check()
        cancel.progress(fraction)

    def run(plan: TrainingPlan, validate: Callable[[Weights], float], on_step: Step) -> Weights:
        return train(
            lambda: _build(example, data),
            plan,
            inputs,
            targets(data.parts["train"][1]),
            validate,
            lambda epoch, score: None,
            on_step,
            (lambda batch: task.inputs(batch.numpy())) if is_image else (lambda batch: batch),
        )

    plan, validate = _plan(len(inputs), example), _validation_score(module, task)
    with threads(THREADS[data.input_type]):
        if seconds is None:
            weights, epochs = run(plan, validate, step), plan.epochs
        else:
            weights, epochs = train_within(seconds, plan, len(inputs), run, validate, step)
    module.load_state_dict(weights)
    model = model_of(module, task, preprocessing=_preprocessing(module, data))
    if seconds is not None and epochs < plan.epochs:
        model.card["notes"] = [_stopped(epochs, plan.epochs, seconds)]
    register_model(model)
    return model


def _stopped(epochs: int, planned: int, seconds: float) -> str:
    text = _(
        "Training stopped after {count} of {planned} epochs, because of the limit of {seconds} s: "
        "allow more time."
    )
    return text.format(
        count=formatting.count(epochs),
        planned=formatting.count(planned),
        seconds=formatting.number(seconds),
    )


def _task(name: str, data: UploadedData) -> Task:
    splits = []
    for split, (examples, labels) in data.parts.items():
        digest = digest_of(examples, labels)
        splits.append(Split(split, examples, labels, digest, rows=data.rows.get(split)))
    return Task(
        name=f"{CUSTOM_PREFIX}{name}",
        title=name,
        classes=data.classes,
        source="",
        license="",
        sources=tuple(map(UserSplit, splits)),
        input_type=data.input_type,
        metric=ACCURACY if data.classes else R2,
        cache_salt="" if data.classes else repr(data.target),
        target=data.target,
    )


def _preprocessing(module: nn.Module, data: UploadedData) -> dict[str, Any] | None:
    """Return how files of the model predict from raw data; None if `data` do not say it."""
    if data.preprocessing is None or data.origin is None:
        return None
    kind = "images" if data.input_type == "image" else "table"
    return Description.of(kind, data.origin, data.classes, module, data.preprocessing).as_dict()


def _build(example: Tensor, data: UploadedData) -> nn.Module:
    outputs = len(data.classes) or 1
    if data.input_type == "image":
        return picture_network(example.shape[1], example.shape[2], outputs)
    return mlp(example.shape[1], outputs)


def mlp(features: int, outputs: int) -> nn.Module:
    """Return a network with two hidden layers and random weights."""
    first, second = HIDDEN
    return nn.Sequential(
        nn.Linear(features, first),
        nn.ReLU(),
        nn.Linear(first, second),
        nn.ReLU(),
        nn.Linear(second, outputs),
    )


def _plan(examples: int, example: Tensor) -> TrainingPlan:
    is_image = example.ndim == 4
    least_steps = STEPS["image" if is_image else "custom"]
    smallest, largest = BATCHES
    largest = min(largest, max(smallest, BATCH_NUMBERS // example[0].numel()))
    batch = min(max(smallest, examples // 30), largest, examples)
    steps = examples // batch
    epochs = min(max(MIN_EPOCHS, math.ceil(least_steps / steps)), MAX_EPOCHS)
    return TrainingPlan(
        epochs=epochs,
        learning_rate=LEARNING_RATE,
        batch_size=batch,
        weight_decay=0.01,
        label_smoothing=0.0,
        shift=example.shape[-1] // SHIFT if is_image else 0,
        average=1 - 1 / max(5, min(100, epochs * steps // AVERAGED)),
        seed=SEED,
    )


def _validation_score(module: nn.Module, task: Task) -> Callable[[Weights], float]:
    """Return a function that returns the negative validation loss of weights."""
    split = task.split("validation")
    size = max(1, BATCH_NUMBERS // split.examples[0].size)

    @torch.no_grad()
    def score(weights: Weights) -> float:
        losses = []
        for start in range(0, len(split), size):
            inputs = task.inputs(split.examples[start : start + size])
            labels = targets(split.labels[start : start + size])
            outputs = torch.func.functional_call(module, weights, (inputs,))
            losses.append(float(label_loss(outputs, labels)) * len(labels))
        return -float(np.sum(losses)) / len(split)

    return score
