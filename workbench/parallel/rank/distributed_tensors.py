"""Tensors that are distributed over ranks, without importing DTensor."""

from __future__ import annotations

from torch import Tensor


def full(tensor: Tensor) -> Tensor:
    """Return a distributed tensor as a plain one."""
    gather = getattr(tensor, "full_tensor", None)
    plain_tensor: Tensor = tensor if gather is None else gather()
    return plain_tensor


def part(tensor: Tensor) -> Tensor:
    """Return what this rank holds of a distributed tensor."""
    local: Tensor = getattr(tensor, "_local_tensor", tensor)
    return local
