"""Which tensors of a model can be compressed."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def compressible(weights: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the names of the floating-point tensors with two or more dimensions, in order.

    Masks are none of them: what attention may not see would be seen after rounding.
    """
    return tuple(
        name
        for name, weight in weights.items()
        if weight.ndim >= 2 and weight.is_floating_point() and not is_mask(weight)
    )


def is_mask(weight: Tensor) -> bool:
    """Return whether a floating-point tensor holds zeros and infinities, or nearly those, alone."""
    if weight.is_meta or not weight.numel():
        return False
    most = torch.finfo(weight.dtype).max
    low, high = weight.aminmax()
    if -most < low and high < most:  # nearly always, after one look
        return False
    blocked = weight.abs() >= most
    return bool(blocked.any()) and bool((blocked | (weight == 0)).all())
