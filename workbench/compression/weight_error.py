"""How far the weights of a tensor are from others of the same shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from math import inf, isfinite, nan, sqrt

import numpy as np
import torch
from torch import Tensor

from workbench.compression.pieces import in_pieces

FLOAT32_SAFE = (1e-10, 1e15)
"""Within these bounds of the largest weight, float32 squares neither overflow nor vanish."""


@dataclass(frozen=True)
class WeightError:
    """Sums over the pairs of weights of two tensors, in float64; sums of several tensors add up.

    Attributes
    ----------
    count, changed : int
        The number of weights, and of those whose values differ.
    squared_error, squared_weight : float
        The sum of squared differences, and of squared weights before.
    max_error, max_weight : float
        The largest absolute difference, and the largest absolute weight before.
    max_relative : float
        The largest absolute difference relative to the weight itself; infinite if a zero changed.
    not_finite : int
        Weights that are NaN or infinite on one side and different on the other. They are in
        `changed`, but in none of the other sums.
    """

    count: int = 0
    changed: int = 0
    squared_error: float = 0.0
    squared_weight: float = 0.0
    max_error: float = 0.0
    max_weight: float = 0.0
    max_relative: float = 0.0
    not_finite: int = 0

    @property
    def rms(self) -> float:
        """The root mean square of the differences, relative to that of the weights before."""
        return _ratio(sqrt(self.squared_error), sqrt(self.squared_weight))

    @property
    def largest(self) -> float:
        """The largest absolute difference, relative to the largest absolute weight before."""
        return _ratio(self.max_error, self.max_weight)

    def __add__(self, other: WeightError) -> WeightError:
        return WeightError(
            self.count + other.count,
            self.changed + other.changed,
            self.squared_error + other.squared_error,
            self.squared_weight + other.squared_weight,
            max(self.max_error, other.max_error),
            max(self.max_weight, other.max_weight),
            max(self.max_relative, other.max_relative),
            self.not_finite + other.not_finite,
        )

    def as_list(self) -> list[int | float]:
        """Return the fields in order, as JSON data."""
        return list(astuple(self))

    @classmethod
    def total(cls, errors: Iterable[WeightError]) -> WeightError:
        """Return the sum of `errors`."""
        return sum(errors, cls())


def weight_error(before: Tensor, after: Tensor, dtype: torch.dtype | None = None) -> WeightError:
    """Compare two tensors of one shape, piece by piece.

    Each may have any dtype that PyTorch converts to float64. `after` is first rounded to `dtype`.
    """
    first, second = _flat(before), _flat(after)

    def compare(piece: slice) -> WeightError:
        new = second[piece]
        return _piece_error(first[piece], new if dtype is None else new.to(dtype))

    return WeightError.total(in_pieces(compare, first.numel()))


def _flat(tensor: Tensor) -> Tensor:
    real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return real.reshape(-1)


def _piece_error(before: Tensor, after: Tensor) -> WeightError:
    if not before.numel():
        return WeightError()
    if all(tensor.is_floating_point() and tensor.itemsize <= 4 for tensor in (before, after)):
        error = _sums(before.float(), after.float())
        if FLOAT32_SAFE[0] < error.max_weight < FLOAT32_SAFE[1]:  # False for NaN
            return error
    old, new = before.double(), after.double()
    finite = old.isfinite() & new.isfinite()
    if finite.all():
        return _sums(old, new)
    same = (old == new) | (old.isnan() & new.isnan())
    other = int((~finite & ~same).sum())
    rest = _piece_error(old[finite], new[finite])
    return replace(
        rest, count=old.numel(), changed=rest.changed + other, not_finite=rest.not_finite + other
    )


def _sums(old: Tensor, new: Tensor) -> WeightError:
    difference, size = (new - old).abs_(), old.abs()
    largest = float(difference.amax())
    # NumPy counts the entries of an array four times as fast as PyTorch.
    changed = int(np.count_nonzero(difference.numpy() != 0)) if largest else 0
    return WeightError(
        count=old.numel(),
        changed=changed,
        squared_error=float(difference.dot(difference)) if changed else 0.0,
        squared_weight=float(size.dot(size)),
        max_error=largest,
        max_weight=float(size.amax()) if isfinite(largest) else nan,
        max_relative=_largest_ratio(difference, size) if changed else 0.0,
    )


def _largest_ratio(difference: Tensor, size: Tensor) -> float:
    """Return the largest relative difference; infinite where a zero changed."""
    ratio = difference / size
    return float(ratio.amax() if size.amin() > 0 else ratio.nan_to_num_(0.0, inf).amax())


def _ratio(part: float, base: float) -> float:
    return part / base if base else (inf if part else 0.0)
