"""Columns that alone predict the target: probably recorded after it, or a copy of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column, Format
from workbench.custom.tables.target import classes_of

MAX_ERRORS = 0.01
"""A column predicts the target if at most this share of the errors of guessing remains."""
MIN_REPEATED = 5
"""Rows for each value of a column, on average."""
MIN_OTHERS = 5
"""Minimum rows outside the most frequent class; fewer may exceed a threshold by chance."""
MAX_GAP = 0.1
"""Ordinary columns that divide clusters have gaps of 17 % and more: see `docs/benchmarks.md`."""
FEW_ROWS, MAX_ERRORS_OF_FEW = 2000, 0.1
"""Rows that exclude most columns at once."""
MIN_CORRELATION = 0.99999
SAMPLE = 200
SAMPLE_CORRELATION = 0.99
"""Columns whose first rows correlate less are not leaks."""


def leaks(columns: tuple[Column, ...], target: Column, *, as_number: bool) -> tuple[str, ...]:
    """Return the names of the columns that alone predict the target.

    For classes, each value or range of values of such a column occurs with one class only, apart
    from few rows. For a number, the column has the same order or the same value for each value of
    the target.
    """
    check = _tells_number if as_number else _tells_classes
    return tuple(
        column.name
        for column in columns
        if not column.reason
        and (
            check(column, target)
            or (
                not as_number
                and (_is_filled_with(column, target) or _thresholds_tell(column, target))
            )
        )
    )


def _is_filled_with(column: Column, target: Column) -> bool:
    """Whether a column has a value in the rows of some classes only, and in all of these."""
    if column.present.all():
        return False
    filled = replace(
        column,
        numbers=column.present.astype(np.float64),
        codes=None,
        present=np.ones_like(column.present),
        format=Format("number"),
    )
    return _tells_classes(filled, target)


def _tells_classes(column: Column, target: Column) -> bool:
    if column.type == "text" or column.distinct * MIN_REPEATED > len(column.present):
        return False
    labels, names = classes_of(target)
    values = _values(column)
    if len(names) < 2:
        return False
    known = labels >= 0
    values, labels = values[known], labels[known]
    different = int(values.max(initial=0)) + 1
    counts = np.bincount(values * len(names) + labels, minlength=different * len(names))
    right = counts.reshape(different, len(names)).max(1).sum()
    baseline = len(labels) - np.bincount(labels).max()
    return bool(len(labels) - right <= MAX_ERRORS * baseline and baseline > 0)


def _thresholds_tell(column: Column, target: Column) -> bool:
    """Whether thresholds divide the numbers of a column into one range for each class.

    Ranges that are far apart are clusters, as those of the flowers of two species: no leak.
    """
    if column.numbers is None:
        return False
    labels, names = classes_of(target)
    rows = np.flatnonzero((labels >= 0) & column.present)
    count = len(names)
    if count < 2 or len(rows) < 0.9 * (labels >= 0).sum():
        return False
    few = rows[:: max(1, len(rows) // FEW_ROWS)]
    for sample, most in ((few, MAX_ERRORS_OF_FEW), (rows, MAX_ERRORS)):
        values, classes = column.numbers[sample], labels[sample]
        baseline = len(sample) - np.bincount(classes).max()
        if baseline < MIN_OTHERS or _errors(values, classes, count) > most * baseline:
            return False
    return _widest_gap(column.numbers[rows], labels[rows]) <= MAX_GAP


def _errors(values: NDArray[np.float64], labels: NDArray[np.int64], count: int) -> int:
    """Return the rows outside the best ranges, which are in the order of the classes' medians."""
    order = np.argsort(values, kind="stable")
    values, labels = values[order], labels[order]
    may_end = np.concatenate([[True], values[1:] != values[:-1], [True]])
    rows = np.arange(len(values) + 1)
    places = [np.flatnonzero(labels == label) for label in range(count)]
    errors = np.where(rows == 0, 0.0, np.inf)  # of the first rows, with the classes so far
    for label in sorted(
        (label for label in range(count) if len(places[label])),
        key=lambda label: float(np.median(places[label])),
    ):
        right = np.concatenate([[0], np.cumsum(labels == label)])
        before = np.where(may_end, errors - rows + right, np.inf)
        errors = rows - right + np.minimum.accumulate(before)
    return int(errors[-1])


def _widest_gap(values: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the widest gap between neighbors of two classes, as a share of all values' range.

    A gap of the smallest step between values, as of whole numbers, counts as none.
    """
    order = np.argsort(values, kind="stable")
    steps, changes = np.diff(values[order]), np.diff(labels[order]) != 0
    widest = float(steps[changes].max(initial=0))
    smallest = float(steps[steps > 0].min(initial=np.inf))
    return 0.0 if widest <= smallest else widest / float(np.ptp(values))


def _tells_number(column: Column, target: Column) -> bool:
    if column.numbers is None or target.numbers is None:
        return False
    both = column.present & target.present
    if both.sum() < 0.9 * len(both):
        return False
    sample = np.flatnonzero(both)[:SAMPLE]
    if abs(_correlation(column.numbers[sample], target.numbers[sample])) < SAMPLE_CORRELATION:
        return False
    ranks = [_ranks(c.numbers[both]) for c in (column, target) if c.numbers is not None]
    if any(rank.std() == 0 for rank in ranks) or len(np.unique(target.numbers[both])) < 10:
        return False
    return bool(abs(np.corrcoef(ranks[0], ranks[1])[0, 1]) > MIN_CORRELATION)


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the correlation of the ranks of two columns; 1 if one is constant."""
    if min(np.ptp(first), np.ptp(second)) == 0:
        return 1.0
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean rank of each value."""
    _distinct, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    result: NDArray[np.float64] = (ends - (counts - 1) / 2)[inverse]
    return result


def _values(column: Column) -> NDArray[np.int64]:
    """Return the index of the value of each row, with one more for missing values."""
    if column.codes is not None:
        codes: NDArray[np.int64] = column.codes.astype(np.int64)
    else:
        assert column.numbers is not None, "texts are no categories"
        inverse = np.unique(np.nan_to_num(column.numbers), return_inverse=True)[1]
        codes = np.where(column.present, inverse, -1).astype(np.int64)
    result: NDArray[np.int64] = codes + 1
    return result
