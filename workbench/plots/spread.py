"""Format a mean with its standard deviation."""

from __future__ import annotations

from typing import Protocol

from workbench import formatting
from workbench.domain.metric import Metric


class HasSpread(Protocol):
    """An object with a mean and a standard deviation of several values."""

    @property
    def mean(self) -> float | None:
        """The mean, or None without values."""
        ...

    @property
    def spread(self) -> float | None:
        """The standard deviation, or None for fewer than two values."""
        ...


def format_mean(values: HasSpread, metric: Metric) -> str:
    """Return the mean and its spread, if any: ``88.2 % ± 0.4``, ``1.742 bits ± 0.012``."""
    mean = metric.format(values.mean or 0.0)
    if values.spread is None:
        return mean
    deviation = (
        f"{values.spread * 100:.1f}" if metric.is_fraction else formatting.number(values.spread)
    )
    return f"{mean} ± {deviation}"
