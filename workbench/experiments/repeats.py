"""The same training done more than once: the mean figure, and how far its repeats lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from statistics import fmean, stdev
from typing import TYPE_CHECKING


class Repeats:
    """What has `values`, the figures of one metric, of trainings that differ by lot alone."""

    if TYPE_CHECKING:  # a property here would be taken for the default of a dataclass's field

        @property
        def values(self) -> Sequence[float]:
            """The figures of those that are done."""

    @property
    def mean(self) -> float | None:
        """Their mean, or None while there is none."""
        return fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """The sample's standard deviation (divided by n - 1), or None of fewer than two.

        Without end where a figure is none: a training may have gone wrong without telling.
        """
        if len(self.values) < 2:
            return None
        return stdev(self.values) if all(map(isfinite, self.values)) else inf
