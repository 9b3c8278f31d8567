"""Networks of another width."""

from __future__ import annotations


def scaled(count: int, width: float) -> int:
    """Return how many of `count` channels or neurons a network of `width`, 0 to 1, has.

    At least one.
    """
    return max(1, round(count * width))
