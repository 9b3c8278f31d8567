"""The sizes of recordings and the mask of their padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FRAMES, COEFFICIENTS, SPEAKERS = 29, 12, 9
"""Maximum frames per recording, coefficients per frame, and number of classes."""


def valid_mask(x: Tensor) -> Tensor:
    """Return bool [b, t], false at padding, for recordings [b, t, 12]. Padding is all zero."""
    return (x != 0).any(-1)
