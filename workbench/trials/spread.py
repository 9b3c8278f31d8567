"""The mean of several figures, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev


def mean(values: Sequence[float]) -> float | None:
    """Return the mean, or None of nothing."""
    return fmean(values) if values else None


def spread(values: Sequence[float]) -> float | None:
    """Return the sample's standard deviation (divided by n − 1), or None of fewer than two."""
    return stdev(values) if len(values) > 1 else None
