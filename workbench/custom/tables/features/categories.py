"""Features of a column of categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column
from workbench.custom.tables.parse import category_key

MAX_VALUES = 1024
"""At most this many values of a column get a feature, the most frequent ones."""
MIN_COUNT = 3
"""Rows of a value that gets a feature, in a column of many values."""
MANY_VALUES = 20


@dataclass(frozen=True)
class CategoryFeatures:
    """One feature for each value; one for a missing value; one for all other values.

    Attributes
    ----------
    values : tuple of str
        The values that have a feature, the most frequent first.
    other : bool
        Whether rarer values of the training rows share a feature, which unknown values get too.
        Without it, an unknown value has 0 everywhere.
    missing : bool
        Whether a feature says that the value is missing.
    """

    values: tuple[str, ...]
    other: bool = False
    missing: bool = False

    @classmethod
    def fit(
        cls, column: Column, rows: NDArray[np.int64], limit: int = MAX_VALUES
    ) -> CategoryFeatures:
        """Fit on the training rows of a column; at most `limit` values get a feature."""
        assert column.codes is not None
        codes = column.codes[rows]
        counts = np.bincount(codes + 1, minlength=len(column.words) + 1)
        missing, counts = bool(counts[0]), counts[1:]
        occurring = int(np.count_nonzero(counts))
        least = MIN_COUNT if occurring > MANY_VALUES else 1
        ranked = np.argsort(-counts, kind="stable")[:limit]
        values = tuple(column.words[n] for n in ranked if counts[n] >= least)
        return cls(values, len(values) < occurring, missing)

    @property
    def names(self) -> tuple[str, ...]:
        """What each feature is, in addition to the column."""
        return (
            *self.values,
            *(("other",) if self.other else ()),
            *(("missing",) if self.missing else ()),
        )

    def transform(self, column: Column) -> NDArray[np.float32]:
        """Return float32 [rows, features]. Upper and lower case are the same, as are blanks."""
        assert column.codes is not None
        exact = {value: number for number, value in enumerate(self.values)}
        similar = {category_key(value): number for number, value in enumerate(self.values)}
        size = len(self.names)
        unknown = len(self.values) if self.other else size
        positions = [exact.get(w, similar.get(category_key(w), unknown)) for w in column.words]
        positions.append(size - 1 if self.missing else size)  # the code -1
        features = np.zeros((len(column.codes), size + 1), np.float32)
        features[np.arange(len(features)), np.array(positions)[column.codes]] = 1
        return features[:, :size]

    def unknown(self, column: Column) -> tuple[str, ...]:
        """Return the values of a column that have no feature of their own."""
        known = {category_key(value) for value in self.values}
        return tuple(word for word in column.words if category_key(word) not in known)
