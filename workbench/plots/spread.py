"""A mean and its spread, in words."""

from __future__ import annotations

from typing import Protocol

from workbench import formatting
from workbench.domain.metric import Metric


class HasSpread(Protocol):
    """What has a mean figure and, where there are several, their standard deviation."""

    @property
    def mean(self) -> float | None:
        """A figure of some metric, or None where there is nothing yet."""
        ...

    @property
    def spread(self) -> float | None:
        """Of the same unit, or None of fewer than two."""
        ...


def format_mean(of: HasSpread, metric: Metric) -> str:
    """Return the mean and its spread, if there is one: ``88.2 % ± 0.4``, ``1.742 bits ± 0.012``."""
    mean = metric.format(of.mean or 0.0)
    if of.spread is None:
        return mean
    apart = f"{of.spread * 100:.1f}" if metric.share else formatting.number(of.spread)
    return f"{mean} ± {apart}"
