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
"""The fraction of the mean square of the inputs added to the diagonal, to make it invertible."""

Numbers = NDArray[Any]


@dataclass(frozen=True, eq=False)
class InputCovariance:
    """The mean of x xᵀ over the inputs x of a layer, up to a factor: `matrix`, float32 [n, n].

    Very large or very small inputs have a factor other than 1, so that it fits in float32.
    The derived matrices are computed once, on one thread, so that their bits do not depend on the
    number of threads.
    """

    matrix: Tensor

    @cached_property
    def inverse(self) -> Tensor:
        """The inverse of the damped matrix, float64 [n, n]."""
        with threads(1):
            inverse: Tensor = torch.cholesky_inverse(self.factor)
        return inverse

    @cached_property
    def factor(self) -> Tensor:
        """The lower Cholesky factor of the damped matrix, float64 [n, n]."""
        with threads(1):
            factor: Tensor = torch.linalg.cholesky(self._damped)
        return factor

    @cached_property
    def order(self) -> Numbers:
        """The inputs sorted by mean square, largest first."""
        order: Numbers = self.matrix.diagonal().argsort(descending=True, stable=True).numpy()
        return order

    @cached_property
    def root(self) -> Tensor:
        """The upper Cholesky factor of the inverse, its inputs in `order`, float32 [n, n]."""
        order = torch.from_numpy(self.order)
        # A common factor does not change the updates; this one keeps them in float32's range.
        ordered = self.inverse[order][:, order] * self._mean
        with threads(1):
            root: Tensor = torch.linalg.cholesky(ordered, upper=True).float().contiguous()
        return root

    def output_error(self, change: Tensor) -> Tensor:
        """Return the mean squared change of each output, [rows], for a weight change [rows, n]."""
        with threads(1):
            return ((change @ self.matrix.to(change.dtype)) * change).sum(dim=1)

    @property
    def _mean(self) -> float:
        """The mean square of the inputs; 1 if all inputs are zero."""
        return float(self.matrix.diagonal().double().mean()) or 1.0

    @property
    def _damped(self) -> Tensor:
        return self.matrix.double() + DAMPING * self._mean * torch.eye(len(self.matrix)).double()
