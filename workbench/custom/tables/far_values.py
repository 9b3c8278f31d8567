"""Sentences about numbers that probably are mistakes: their size differs from all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.custom.tables.column import Column
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _, plural

FAR = 100.0
"""An outlier is this many times as far from the median as any other value."""
MAX_OUTLIERS = 3
MAX_SHARE = 0.02
MIN_VALUES = 20


def outliers(column: Column, lines: NDArray[np.int64]) -> Iterator[str]:
    """Yield a sentence that names a few numbers far from all others.

    Parameters
    ----------
    column
        The column to predict.
    lines
        The line of the file in which each row begins, [n].
    """
    rows = np.flatnonzero(column.present)
    if column.numbers is None or len(rows) < MIN_VALUES:
        return
    distances = np.abs(column.numbers[rows] - np.median(column.numbers[rows]))
    order = np.argsort(-distances, kind="stable")
    for count in range(min(MAX_OUTLIERS, max(1, int(MAX_SHARE * len(rows)))), 0, -1):
        nearest, others = distances[order[count - 1]], distances[order[count]]
        if nearest > FAR * others > 0:
            cells = _named(column, rows[np.sort(order[:count])], lines)
            sentence = plural(
                "{column}: {cells} is far from all other values. If it is a mistake, correct it: "
                "it decides what the model learns.",
                "{column}: {cells} are far from all other values. If they are mistakes, correct "
                "them: they decide what the model learns.",
                count,
            )
            yield sentence.format(column=quoted(column.name), cells=cells)
            return


def fractions_as_percent(column: Column, lines: NDArray[np.int64]) -> Iterator[str]:
    """Yield a sentence if numbers below 1 without a sign stand next to larger ones in percent."""
    if column.type != "number" or column.numbers is None or "%" not in "".join(column.cells):
        return
    has_sign = np.array(["%" in cell for cell in column.cells], np.bool_)
    percent = np.abs(column.numbers[has_sign & column.present])
    if not len(percent) or np.median(percent) <= 1:
        return
    sizes = np.abs(np.where(column.present, column.numbers, 0))
    rows = np.flatnonzero(~has_sign & (sizes > 0) & (sizes < 1))
    if len(rows):
        sentence = plural(
            "{column}: {count} cell has no “%”, unlike others: {cells}. It is read as a percentage "
            "too; if it is a fraction, write it with “%”.",
            "{column}: {count} cells have no “%”, unlike others: {cells}. They are read as "
            "percentages too; if they are fractions, write them with “%”.",
            len(rows),
        )
        yield sentence.format(
            column=quoted(column.name),
            count=formatting.count(len(rows)),
            cells=_named(column, rows[:MAX_OUTLIERS], lines),
        )


def _named(column: Column, rows: NDArray[np.int64], lines: NDArray[np.int64]) -> str:
    return ", ".join(
        _("{cell} (line {line})").format(
            cell=quoted(column.cells[row]), line=formatting.count(int(lines[row]))
        )
        for row in rows.tolist()
    )
