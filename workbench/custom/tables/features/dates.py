"""Features of a column of dates and times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column
from workbench.custom.tables.features.numbers import NumberFeatures

Values = NDArray[np.float64]

DAY = 86_400.0
YEAR = 365.2425
HARMONICS = 2
"""Waves per cycle: sine and cosine of the day of the year and of the hour, once and twice."""
COUNTS = {"month": 12, "weekday": 7}
"""Parts with a feature for each value, and the number of values."""
NUMBERS = ("elapsed", "year", "day")
"""Parts that are numbers."""
PARTS = ("elapsed", "year", "day of year", "month", "day", "weekday", "hour")
WAVES = ("sine", "cosine")


@dataclass(frozen=True)
class DateFeatures:
    """Elapsed time, year, day of the year, month, day of the month, weekday and hour.

    Only parts that differ between the training rows are used. The day of the year and the hour
    are cyclic: sine and cosine. Month and weekday have a feature for each value.

    Attributes
    ----------
    elapsed, year, day : NumberFeatures
        Seconds since 1970, the year, the day of the month.
    parts : tuple of str
        The parts in use.
    indicator : bool
        Whether a feature says that the date is missing.
    """

    elapsed: NumberFeatures
    year: NumberFeatures
    day: NumberFeatures
    parts: tuple[str, ...]
    indicator: bool = False

    def __post_init__(self) -> None:
        if not set(self.parts) <= set(PARTS) or len(self.parts) > len(set(self.parts)):
            raise ValueError(type(self).__name__)

    @classmethod
    def fit(cls, column: Column, rows: NDArray[np.int64]) -> DateFeatures:
        """Fit on the training rows of a column of seconds since 1970."""
        assert column.numbers is not None
        values = column.numbers[rows]
        present = values[~np.isnan(values)]
        mostly_empty = column.is_mostly_empty or not len(present)
        parts = _parts(np.zeros(1) if mostly_empty else present)
        varying = tuple(name for name, part in parts.items() if len(np.unique(part)) > 1)
        elapsed, year, day = (NumberFeatures.of_values(parts[name]) for name in NUMBERS)
        indicator = mostly_empty or len(present) < len(values)
        return cls(elapsed, year, day, varying, indicator)

    @property
    def names(self) -> tuple[str, ...]:
        """What each feature is, in addition to the column."""
        names: list[str] = []
        for part in self.parts:
            if part in NUMBERS:
                names += [f"{part} {name}".strip() for name in getattr(self, part).names]
            elif part in COUNTS:
                names += [f"{part} {number + 1}" for number in range(COUNTS[part])]
            else:
                names += [f"{part} {wave} {n}" for n in range(1, HARMONICS + 1) for wave in WAVES]
        return (*names, *(("missing",) if self.indicator else ()))

    def transform(self, column: Column) -> NDArray[np.float32]:
        """Return float32 [rows, features]."""
        assert column.numbers is not None
        values = column.numbers
        missing = np.isnan(values)
        parts = _parts(np.where(missing, self.elapsed.median, values))
        blocks: list[NDArray[np.float32]] = []
        for name in self.parts:
            part = parts[name]
            if name in NUMBERS:
                blocks.append(getattr(self, name).of(part))
            elif name in COUNTS:
                blocks.append((part[:, None] == np.arange(COUNTS[name])).astype(np.float32))
            else:
                angles = 2 * np.pi * part[:, None] * np.arange(1, HARMONICS + 1)
                waves = np.stack([np.sin(angles), np.cos(angles)], axis=2)
                blocks.append(waves.reshape(len(part), -1).astype(np.float32))
        if self.indicator:
            blocks.append(missing[:, None].astype(np.float32))
        return np.concatenate([np.zeros((len(values), 0), np.float32), *blocks], axis=1)


def _parts(seconds: Values) -> dict[str, Values]:
    """Return the parts of dates: numbers, positions from 0, or fractions of a cycle."""
    days = np.floor(seconds / DAY)
    dates = days.astype(np.int64).astype("datetime64[D]")
    years, months = dates.astype("datetime64[Y]"), dates.astype("datetime64[M]")
    return {
        "elapsed": seconds,
        "year": years.astype(np.int64) + 1970.0,
        "day of year": (dates - years.astype("datetime64[D]")).astype(np.float64) / YEAR,
        "month": (months - years.astype("datetime64[M]")).astype(np.float64),
        "day": (dates - months.astype("datetime64[D]")).astype(np.float64) + 1,
        "weekday": (days + 3) % COUNTS["weekday"],
        "hour": (seconds - days * DAY) / DAY,
    }
