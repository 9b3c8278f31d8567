"""PyTorch optimizers and learning-rate schedules, by the names that recipes use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil
from typing import Any

from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
)

from workbench.recipe import Train

MOMENTUM = 0.9

OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], dict[str, Any]]] = {
    "sgd": (SGD, {"fused": True}),
    "momentum": (SGD, {"momentum": MOMENTUM, "fused": True}),
    "nesterov": (SGD, {"momentum": MOMENTUM, "nesterov": True, "fused": True}),
    "rmsprop": (RMSprop, {"foreach": True}),
    "adam": (Adam, {"fused": True}),
    "adamw": (AdamW, {"fused": True}),
}
"""The class and further arguments of each optimizer."""

SCHEDULES: dict[str, Callable[[Optimizer, int, float], LRScheduler]] = {
    "constant": lambda optimizer, steps, peak: ConstantLR(optimizer, factor=1.0),
    "step": lambda optimizer, steps, peak: MultiStepLR(
        optimizer, [ceil(steps / 2), ceil(3 * steps / 4)]
    ),
    "cosine": lambda optimizer, steps, peak: CosineAnnealingLR(optimizer, steps),
    "one_cycle": lambda optimizer, steps, peak: OneCycleLR(
        optimizer, peak, total_steps=steps + 1, cycle_momentum=False
    ),
    "warm_up": lambda optimizer, steps, peak: LinearLR(
        optimizer, start_factor=1 / max(2, steps // 10), total_iters=max(1, steps // 10)
    ),
}


def optimizer(settings: Train, decayed: Iterable[Tensor], others: Iterable[Tensor]) -> Optimizer:
    """Return the optimizer of `settings`. Weight decay applies to the `decayed` tensors only.

    Biases, batch-norm parameters and quantization scales should not decay.
    """
    cls, arguments = OPTIMIZERS[settings.optimizer]
    groups = [
        {"params": list(decayed), "weight_decay": settings.weight_decay},
        {"params": list(others), "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return cls(groups, lr=settings.learning_rate, **arguments)


def schedule(settings: Train, optimizer: Optimizer) -> LRScheduler:
    """Return the learning-rate schedule of `settings`, to be stepped after each training step."""
    return SCHEDULES[settings.schedule](optimizer, max(1, settings.steps), settings.learning_rate)
