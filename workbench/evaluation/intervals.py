"""Intervals: what part of a split says about the whole, and the split about the world."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


def split_bounds(correct: int, seen: int, total: int, level: float = LEVEL) -> tuple[int, int]:
    """Bound how many of all `total` examples are right, from a random `seen` without replacement.

    The exact (Clopper–Pearson type) interval of the hypergeometric distribution: it covers the
    true count at least as often as `level`, for every true count, and closes when all are seen.

    Returns
    -------
    tuple of int
        The lowest and highest count that the sample does not contradict.
    """
    tail = (1 - level) / 2
    wrong = seen - correct
    low = _first(
        correct, total - wrong, lambda right: _at_least(right, correct, seen, total) > tail
    )
    high = total - _first(
        wrong, total - correct, lambda miss: _at_least(miss, wrong, seen, total) > tail
    )
    return low, high


def wilson(correct: int, examples: int) -> tuple[float, float]:
    """Return the Wilson 95 % interval of the accuracy on new data (Wilson 1927)."""
    z = 1.959963984540054
    share = correct / examples
    centre = share + z * z / (2 * examples)
    half = z * sqrt(share * (1 - share) / examples + z * z / (4 * examples * examples))
    scale = 1 + z * z / examples
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _at_least(right: int, found: int, seen: int, total: int) -> float:
    """Return P(X ≥ found) when `right` of `total` are right and `seen` are drawn."""
    counts = np.arange(max(found, seen - (total - right)), min(seen, right) + 1)
    if not counts.size:
        return 0.0
    logs = _log_factorials(total)
    chances = (
        logs[right]
        - logs[counts]
        - logs[right - counts]
        + logs[total - right]
        - logs[seen - counts]
        - logs[total - right - seen + counts]
        - logs[total]
        + logs[seen]
        + logs[total - seen]
    )
    return float(np.exp(chances).sum())


@cache
def _log_factorials(highest: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, highest + 1)))])
