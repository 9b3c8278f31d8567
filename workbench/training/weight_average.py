"""Exponential moving average of the weights: steadier than the last step, often more accurate.

Polyak & Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class WeightAverage:
    """The exponential moving average of named tensors, started after step `first`.

    Up to `first`, pruning still adds zeros, so earlier weights are not comparable. The decay warms
    up, so that the initial weights are soon forgotten: after n updates it is at most
    (1 + n) / (10 + n).
    """

    def __init__(self, decay: float, first: int) -> None:
        self.decay = decay
        self.first = first
        self.mean: dict[str, Tensor] = {}
        self.updates = 0

    @torch.no_grad()
    def update(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Add `tensors` as they are after `step`. Integer tensors are copied."""
        if step <= self.first:
            return
        if not self.mean:
            self.mean = {name: tensor.detach().clone() for name, tensor in tensors.items()}
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, mean in self.mean.items():
            if mean.is_floating_point():
                mean.lerp_(tensors[name].detach(), 1 - decay)
            else:
                mean.copy_(tensors[name])

    def state(self) -> dict[str, object]:
        """Return the state for a checkpoint."""
        return {"mean": self.mean, "updates": self.updates}

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self.mean, self.updates = state["mean"], state["updates"]

    @torch.no_grad()
    def copy_to(self, tensors: Mapping[str, Tensor]) -> None:
        """Write the average into `tensors`."""
        for name, mean in self.mean.items():
            tensors[name].copy_(mean)

    @contextmanager
    def applied_to(self, tensors: Mapping[str, Tensor]) -> Iterator[None]:
        """Replace the values of `tensors` by the average inside the context."""
        saved = {name: tensors[name].detach().clone() for name in self.mean}
        self.copy_to(tensors)
        try:
            yield
        finally:
            with torch.no_grad():
                for name, value in saved.items():
                    tensors[name].copy_(value)
