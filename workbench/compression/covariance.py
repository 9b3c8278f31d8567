"""The second moments of a layer's inputs: how its outputs change when its weights do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.threads import threads

DAMPING = 0.01
"""Of the mean square of the inputs, added to each so that the moments can be inverted."""

Numbers = NDArray[Any]


@dataclass(frozen=True, eq=False)
class InputCovariance:
    """The mean of x xᵀ over the inputs x of a layer: `matrix`, float32 [n, n].

    What is derived from it is computed once, on one thread, so that it is the same everywhere on a
    machine.
    """

    matrix: Tensor

    @cached_property
    def inverse(self) -> Tensor:
        """The inverse of the damped matrix, float64 [n, n]."""
        with threads(1):
            found: Tensor = torch.cholesky_inverse(self.factor)
        return found

    @cached_property
    def factor(self) -> Tensor:
        """The lower Cholesky factor of the damped matrix, float64 [n, n]."""
        with threads(1):
            found: Tensor = torch.linalg.cholesky(self._damped)
        return found

    @cached_property
    def order(self) -> Numbers:
        """The inputs from the largest mean square to the least."""
        found: Numbers = self.matrix.diagonal().argsort(descending=True, stable=True).numpy()
        return found

    @cached_property
    def root(self) -> Tensor:
        """The upper Cholesky factor of the inverse, its inputs in `order`, float32 [n, n]."""
        order = torch.from_numpy(self.order)
        ordered = self.inverse[order][:, order] * self._mean  # in float32's range, and as good
        with threads(1):
            found: Tensor = torch.linalg.cholesky(ordered, upper=True).float().contiguous()
        return found

    def output_error(self, change: Tensor) -> Tensor:
        """Return the mean squared change of each output when weights [rows, n] change, [rows]."""
        with threads(1):
            return ((change @ self.matrix.to(change.dtype)) * change).sum(dim=1)

    @property
    def _mean(self) -> float:
        """The inputs' mean square; 1 where there never is an input."""
        return float(self.matrix.diagonal().double().mean()) or 1.0

    @property
    def _damped(self) -> Tensor:
        return self.matrix.double() + DAMPING * self._mean * torch.eye(len(self.matrix)).double()
