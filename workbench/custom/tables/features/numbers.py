"""Features of a column of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column
from workbench.custom.tables.features.rounding import rounded

Values = NDArray[np.float64]

BINS = 8
"""Steps of the piecewise linear encoding, at quantiles of the training values."""
FEW_VALUES = 3
"""Columns with at most this many distinct values have no steps."""
FAR = 6.0
"""Values further from the median than this, in interquartile ranges, make a tail heavy."""
LIMIT = 10.0
"""The largest magnitude of a standardized value: new rows may be far from the training rows."""
QUARTILES = 1.349
"""The interquartile range of a normal distribution in standard deviations."""


@dataclass(frozen=True)
class NumberFeatures:
    """A number, standardized; steps at quantiles; whether it is missing.

    The steps are the piecewise linear encoding of Gorishniy et al. (arXiv 2203.05556). With them,
    a small network learns thresholds and curves as easily as trees do.

    Attributes
    ----------
    median : float
        Replaces missing values.
    mean, scale : float
        Of the training values, after asinh if it is applied.
    width : float
        The robust scale of a column with a heavy tail, to which asinh is applied; else 0.
    knots : tuple of float
        The ends of the steps, increasing; empty for few distinct values.
    indicator : bool
        Whether a feature says that the value is missing.
    used : bool
        Whether the values are used; of a column that is mostly empty, only the indicator is.
    """

    median: float = 0.0
    mean: float = 0.0
    scale: float = 1.0
    width: float = 0.0
    knots: tuple[float, ...] = ()
    indicator: bool = False
    used: bool = True

    def __post_init__(self) -> None:
        if (
            self.scale <= 0
            or self.width < 0
            or any(high <= low for low, high in pairwise(self.knots))
        ):
            raise ValueError(type(self).__name__)

    @classmethod
    def fit(cls, column: Column, rows: NDArray[np.int64], bins: int = BINS) -> NumberFeatures:
        """Fit on the training rows of a column; without `bins` there are no steps."""
        assert column.numbers is not None
        return cls.of_values(
            column.numbers[rows],
            bins,
            indicator=column.is_mostly_empty,
            used=not column.is_mostly_empty,
        )

    @classmethod
    def of_values(
        cls, values: Values, bins: int = BINS, *, indicator: bool = False, used: bool = True
    ) -> NumberFeatures:
        """Fit on numbers [n], of which NaN are missing."""
        present = values[~np.isnan(values)]
        indicator = indicator or len(present) < len(values)
        if not used or not len(present):
            return cls(indicator=True, used=False)
        spread = float(np.ptp(present))
        median, width = rounded(float(np.median(present)), spread), _tail(present)
        curved = np.arcsinh((present - median) / width) if width else present
        mean, scale = float(curved.mean()), float(curved.std()) or 1.0
        return cls(
            median,
            rounded(mean, scale),
            rounded(scale, scale),
            width,
            _knots(present, spread, bins),
            indicator,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What each feature is, in addition to the column."""
        steps = tuple(f"from {low:g} to {high:g}" for low, high in pairwise(self.knots))
        value = ("", *steps) if self.used else ()
        return (*value, *(("missing",) if self.indicator else ()))

    def transform(self, column: Column) -> NDArray[np.float32]:
        """Return float32 [rows, features]."""
        assert column.numbers is not None
        return self.of(column.numbers)

    def of(self, values: Values) -> NDArray[np.float32]:
        """Return the features of numbers [rows], of which NaN are missing."""
        missing = np.isnan(values)
        features = np.empty((len(values), len(self.names)), np.float32)
        if self.used:
            filled = np.where(missing, self.median, values)
            curved = np.arcsinh((filled - self.median) / self.width) if self.width else filled
            features[:, 0] = np.clip((curved - self.mean) / self.scale, -LIMIT, LIMIT)
            steps = pairwise(self.knots)
            for position, (low, high) in enumerate(steps, start=1):
                features[:, position] = np.clip((filled - low) / (high - low), 0.0, 1.0)
        if self.indicator:
            features[:, -1] = missing
        return features


def _tail(present: Values) -> float:
    """Return the robust scale of values with a heavy tail, else 0."""
    low, median, high = np.quantile(present, [0.25, 0.5, 0.75])
    width = float(high - low) / QUARTILES
    is_heavy = width and np.abs(present - median).max() > FAR * (high - low)
    return rounded(width, width) if is_heavy else 0.0


def _knots(present: Values, spread: float, bins: int) -> tuple[float, ...]:
    if not bins or len(np.unique(present)) <= FEW_VALUES:
        return ()
    quantiles = np.quantile(present, np.linspace(0, 1, bins + 1)).tolist()
    return tuple(sorted({rounded(value, spread) for value in quantiles}))
