"""Small networks for what somebody uploads, trained the same way every time and then brought."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from workbench.checkpoints.loop import Weights, train
from workbench.custom.model import model_of
from workbench.custom.uploads.splits import SEED, UploadedData
from workbench.domain import Model, Split, Task
from workbench.domain.inputs import targets
from workbench.domain.losses import label_loss
from workbench.domain.metric import ACCURACY, R2
from workbench.domain.task import digest_of
from workbench.domain.training_plan import TrainingPlan
from workbench.domain.user_architecture import UserSplit
from workbench.errors import Cancelled
from workbench.threads import threads
from workbench.zoo.registry import register_model as remember
from workbench.zoo.tables import CUSTOM_PREFIX

HIDDEN = (64, 64)
CHANNELS = (8, 16, 32)
STEPS = {"own": 1500, "image": 400}
"""Steps to take, by the form of the task, unless the epochs run out."""
MIN_EPOCHS = 3
MAX_EPOCHS = 100
BATCHES = (16, 512)
"""The smallest batch and the largest; between them a thirtieth of the examples."""
LEARNING_RATE = 0.005
AVERAGED = 25
"""An epoch of fewer steps than a few of these is averaged over fewer."""
THREADS = 2
"""The bits that training ends with depend on their number."""
EVAL_BATCH = 2000
"""Examples judged at once."""


def train_small_model(
    name: str,
    data: UploadedData,
    watch: Callable[[float], None] = lambda share: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Model:
    """Return a small network trained on `data`, known as ``custom/name`` from now on.

    Parameters
    ----------
    watch
        Told the share of the training that is done, from 0 to 1.

    Raises
    ------
    Cancelled
        When `cancelled()` answers True between two steps; nothing is then kept.
    """
    task = _task(name, data)
    inputs = task.inputs(data.parts["train"][0])
    module = _build(inputs, data)

    def step(share: float) -> None:
        if cancelled():
            raise Cancelled("Training was stopped.")
        watch(share)

    with threads(THREADS):
        weights = train(
            lambda: _build(inputs, data),
            _plan(len(inputs), data.form),
            inputs,
            targets(data.parts["train"][1]),
            _goodness(module, task),
            lambda epoch, good: None,
            step,
        )
    module.load_state_dict(weights)
    model = model_of(module, task)
    remember(model)
    return model


def _task(name: str, data: UploadedData) -> Task:
    splits = []
    for split, (examples, labels) in data.parts.items():
        splits.append(Split(split, examples, labels, digest_of(examples, labels)))
    return Task(
        name=f"{CUSTOM_PREFIX}{name}",
        title=name,
        classes=data.classes,
        source="",
        license="",
        sources=tuple(map(UserSplit, splits)),
        input_type=data.form,
        metric=ACCURACY if data.classes else R2,
    )


def _build(inputs: Tensor, data: UploadedData) -> nn.Module:
    outputs = len(data.classes) or 1
    if data.form == "image":
        return cnn(inputs.shape[1], inputs.shape[2], outputs)
    return mlp(inputs.shape[1], outputs)


def mlp(features: int, outputs: int) -> nn.Module:
    """Return a network of two hidden layers, with fresh weights."""
    first, second = HIDDEN
    return nn.Sequential(
        nn.Linear(features, first),
        nn.ReLU(),
        nn.Linear(first, second),
        nn.ReLU(),
        nn.Linear(second, outputs),
    )


def cnn(channels: int, side: int, outputs: int) -> nn.Module:
    """Return a network of three convolutions, each halving the side, with fresh weights."""
    layers: list[nn.Module] = []
    for wide in CHANNELS:
        layers += [nn.Conv2d(channels, wide, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels, side = wide, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side * side, outputs))


def _plan(examples: int, form: str) -> TrainingPlan:
    least, most = BATCHES
    batch = min(max(least, examples // 30), most, examples)
    steps = examples // batch
    epochs = min(max(MIN_EPOCHS, math.ceil(STEPS[form] / steps)), MAX_EPOCHS)
    return TrainingPlan(
        epochs=epochs,
        learning_rate=LEARNING_RATE,
        batch_size=batch,
        weight_decay=0.01,
        label_smoothing=0.0,
        shift=2 if form == "image" else 0,
        average=1 - 1 / max(5, min(100, epochs * steps // AVERAGED)),
        seed=SEED,
    )


def _goodness(module: nn.Module, task: Task) -> Callable[[Weights], float]:
    """Return what tells how good weights are: minus the loss on the validation split."""
    split = task.split("validation")

    @torch.no_grad()
    def good(weights: Weights) -> float:
        losses = []
        for start in range(0, len(split), EVAL_BATCH):
            inputs = task.inputs(split.examples[start : start + EVAL_BATCH])
            labels = targets(split.labels[start : start + EVAL_BATCH])
            outputs = torch.func.functional_call(module, weights, (inputs,))
            losses.append(float(label_loss(outputs, labels)) * len(labels))
        return -float(np.sum(losses)) / len(split)

    return good
