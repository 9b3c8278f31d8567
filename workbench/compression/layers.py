"""Which tensors of a model can be compressed."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def compressible(weights: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the names of the floating-point tensors with two or more dimensions, in order."""
    return tuple(n for n, w in weights.items() if w.ndim >= 2 and w.is_floating_point())
