"""Scaling of the width of networks."""

from __future__ import annotations


def scaled(count: int, width: float) -> int:
    """Return `count` channels or neurons scaled by `width`, 0 to 1; at least one."""
    return max(1, round(count * width))
