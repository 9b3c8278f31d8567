"""Some rows of a column, and a column without any value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column, Format

Rows = NDArray[np.int64]


def take(column: Column, rows: Rows) -> Column:
    """Return a column with some of its rows; its words stay the same."""
    return replace(
        column,
        cells=[column.cells[row] for row in rows.tolist()] if column.type == "text" else (),
        present=column.present[rows],
        numbers=None if column.numbers is None else column.numbers[rows],
        codes=None if column.codes is None else column.codes[rows],
    )


def empty_column(name: str, format: Format, count: int) -> Column:
    """Return a column of `count` missing values."""
    is_numeric = format.type in {"number", "date"}
    return Column(
        name,
        format,
        cells=(),
        present=np.zeros(count, np.bool_),
        numbers=np.full(count, np.nan) if is_numeric else None,
        codes=None if is_numeric or format.type == "text" else np.full(count, -1, np.int32),
    )
