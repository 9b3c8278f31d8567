"""The frames of a recording, and which of them are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FRAMES, COEFFICIENTS, SPEAKERS = 29, 12, 9
"""The most frames of a recording, the numbers in each, and the classes."""


def valid_mask(x: Tensor) -> Tensor:
    """Return bool [b, t] for recordings [b, t, 12]: padding alone has all its numbers zero."""
    return (x != 0).any(-1)
