"""A mean and its spread, in words."""

from __future__ import annotations

from typing import Protocol

from workbench import figures


class Spread(Protocol):
    """What has a mean accuracy and, where there are several, their standard deviation."""

    @property
    def mean(self) -> float | None:
        """From 0 to 1, or None where there is nothing yet."""
        ...

    @property
    def spread(self) -> float | None:
        """Of the same unit, or None of fewer than two."""
        ...


def words(of: Spread) -> str:
    """Return the mean, with its spread if there is one: ``88.2 % ± 0.4``."""
    mean = figures.percent(of.mean or 0.0)
    return mean if of.spread is None else f"{mean} ± {of.spread * 100:.1f}"
