"""The same training done more than once: the mean accuracy, and how far its repeats lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING


class Repeats:
    """What has `accuracies`, 0 to 1, of trainings that differ by lot alone."""

    if TYPE_CHECKING:  # a property here would be taken for the default of a dataclass's field

        @property
        def accuracies(self) -> Sequence[float]:
            """The accuracies of those that are done."""

    @property
    def mean(self) -> float | None:
        """Their mean, or None while there is none."""
        return fmean(self.accuracies) if self.accuracies else None

    @property
    def spread(self) -> float | None:
        """The sample's standard deviation (divided by n - 1), or None of fewer than two."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else None
