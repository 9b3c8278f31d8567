"""Mean and spread of a metric over repeated trainings."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from statistics import fmean, stdev
from typing import TYPE_CHECKING


class Repeats:
    """Mixin for objects with `values`: one metric, of trainings that differ by random seed only."""

    if TYPE_CHECKING:  # a real property would become the default of a dataclass field

        @property
        def values(self) -> Sequence[float]:
            """The metric values of completed trainings."""

    @property
    def mean(self) -> float | None:
        """The mean, or None without values."""
        return fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """The sample standard deviation (divided by n - 1), or None for fewer than two values.

        Infinite if a value is not finite: a training may diverge silently.
        """
        if len(self.values) < 2:
            return None
        return stdev(self.values) if all(map(isfinite, self.values)) else inf
