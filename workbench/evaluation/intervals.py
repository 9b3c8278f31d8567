"""Confidence intervals of the accuracy on a full split and on new data."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
MOST_TOTALS = 8
"""Sizes of splits whose factorials are kept."""


def split_bounds(correct: int, seen: int, total: int, level: float = LEVEL) -> tuple[int, int]:
    """Return bounds of the number of correct examples among `total`, from a sample.

    `correct` of `seen` examples, sampled without replacement, are correct. This is the exact
    (Clopper–Pearson type) interval of the hypergeometric distribution: it covers every true count
    with a probability of at least `level`, and has zero width if `seen` is `total`.
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
    accuracy = correct / examples
    center = accuracy + z * z / (2 * examples)
    half = z * sqrt(accuracy * (1 - accuracy) / examples + z * z / (4 * examples * examples))
    scale = 1 + z * z / examples
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


def sampled_again(correct: int, examples: int, others: int) -> tuple[float, float]:
    """Return the 95 % prediction interval of the accuracy on `others` examples of the same kind.

    `correct` of `examples` were correct. The variances of both samples are added, with two
    successes and two failures more, as in Agresti and Coull (1998), so that small samples and
    accuracies near 1 have no interval of zero width.
    """
    z = 1.959963984540054
    total = examples + 4
    accuracy = (correct + 2) / total
    half = z * sqrt(accuracy * (1 - accuracy) * (1 / total + 1 / others))
    return max(0.0, accuracy - half), min(1.0, accuracy + half)


def expected_on_test(correct: int, examples: int, others: int, lost: float) -> tuple[float, float]:
    """Return the 95 % interval of the accuracy on test of a file that was chosen on validation.

    It is that of as many `others`, see `sampled_again`, less what the original loses on test.

    Parameters
    ----------
    correct, examples
        How many of the validation examples the file predicts correctly.
    others
        Number of test examples.
    lost
        Accuracy of the original on validation less that on test, as a fraction.
    """
    low, high = sampled_again(correct, examples, others)
    return max(0.0, low - lost), min(1.0, high - lost)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the smallest integer from `low` to `high` for which `holds`, by bisection."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _at_least(right: int, count: int, seen: int, total: int) -> float:
    """Return P(X ≥ count) if `right` of `total` are correct and `seen` are sampled."""
    counts = np.arange(max(count, seen - (total - right)), min(seen, right) + 1)
    if not counts.size:
        return 0.0
    logs = _log_factorials(total)
    log_probabilities = (
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
    return float(np.exp(log_probabilities).sum())


@lru_cache(MOST_TOTALS)
def _log_factorials(highest: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, highest + 1)))])
