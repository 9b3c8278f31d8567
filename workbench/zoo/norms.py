"""Batch norm measured anew: its means and variances no longer fit once weights have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn


def recalibrate(
    module: nn.Module, portions: Iterable[Any], forward: Callable[[Any], object]
) -> None:
    """Set the running statistics of `module` to the mean over `portions`, each run `forward`.

    The module is in training mode; `forward` may raise to stop, and the momentum is as it was.
    """
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]  # noqa: SLF001
    if not norms:
        return
    kept = [norm.momentum for norm in norms]
    try:
        for number, chosen in enumerate(portions, 1):
            for norm in norms:
                norm.momentum = 1 / number
            with torch.no_grad():
                forward(chosen)
    finally:
        for norm, momentum in zip(norms, kept, strict=True):
            norm.momentum = momentum
