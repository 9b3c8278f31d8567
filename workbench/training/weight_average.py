"""The moving average of the weights: steadier than the last step's, and often more accurate.

Polyak & Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class WeightAverage:
    """The exponential moving average of named tensors, from step `first` on.

    Before it the network is another one: zeros are still to come. While it is younger than its
    memory it moves faster, so that it does not remember where it began: after n updates it keeps
    (1 + n) / (10 + n) of itself at most.
    """

    def __init__(self, decay: float, first: int) -> None:
        self.decay = decay
        self.first = first
        self.mean: dict[str, Tensor] = {}
        self.updates = 0

    @torch.no_grad()
    def update(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Move towards what `tensors` are after `step`; whole numbers are taken over."""
        if step <= self.first:
            return
        if not self.mean:
            self.mean = {name: tensor.detach().clone() for name, tensor in tensors.items()}
        self.updates += 1
        keep = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, mean in self.mean.items():
            if mean.is_floating_point():
                mean.lerp_(tensors[name].detach(), 1 - keep)
            else:
                mean.copy_(tensors[name])

    def state(self) -> dict[str, object]:
        """Return what a checkpoint keeps."""
        return {"mean": self.mean, "updates": self.updates}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` returned."""
        self.mean, self.updates = state["mean"], state["updates"]

    @torch.no_grad()
    def copy_to(self, tensors: Mapping[str, Tensor]) -> None:
        """Write the average into `tensors`."""
        for name, mean in self.mean.items():
            tensors[name].copy_(mean)

    @contextmanager
    def applied_to(self, tensors: Mapping[str, Tensor]) -> Iterator[None]:
        """Let `tensors` be the average for a while."""
        kept = {name: tensors[name].detach().clone() for name in self.mean}
        self.copy_to(tensors)
        try:
            yield
        finally:
            with torch.no_grad():
                for name, own in kept.items():
                    tensors[name].copy_(own)
