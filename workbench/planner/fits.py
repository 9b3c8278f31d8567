"""Whether a job fits into a chip's memory, and the largest that does."""

from __future__ import annotations

from collections.abc import Callable

from workbench.planner.chips import Chip
from workbench.planner.memory import Memory

MARGIN, SHARED_MARGIN = 0.03, 0.06
"""Relative error of predicted memory within which the answer is open: on one chip, on several."""


def fits(memory: Memory, chip: Chip, chips: int = 1) -> bool | None:
    """Return whether memory suffices, or None if that is within the prediction's error."""
    margin = MARGIN if chips == 1 else SHARED_MARGIN
    free = chip.usable - memory.context
    if memory.total * (1 + margin) <= free:
        return True
    return False if memory.total * (1 - margin) > free else None


def largest(fit: Callable[[int], bool | None], most: int) -> int:
    """Return the largest number from 1 to `most` for which `fit` says yes, or 0.

    Memory grows with the number, so the search halves the range.
    """
    low, high = 0, 1
    while high < most and fit(high):
        low, high = high, min(high * 2, most)
    if fit(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fit(middle) else (low, middle)
    return low
