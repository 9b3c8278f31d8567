"""A table whose columns have types and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.inspection import Cell

MOSTLY_EMPTY = 0.5
"""A column with a larger fraction of missing cells is "missing or not"."""


@dataclass(frozen=True)
class Format:
    """How the cells of a column are read; new rows are read in the same way. Plain data.

    Attributes
    ----------
    type : str
        One of `COLUMN_TYPES`.
    decimal, thousands : str
        Of numbers: the separators; `thousands` may be empty.
    unit : str
        Of numbers: the text after each number, such as "%" or "kg".
    mixed : bool
        Of numbers: whether each cell has separators of its own; those with two readings are not
        understood.
    day_first : bool
        Of dates: whether 3/4/2020 is in April.
    utc : bool
        Of dates: whether times are converted to UTC, because time zones differ.
    first_year : int
        Of dates: the first of the hundred years in which years of two digits are.
    """

    type: str
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    day_first: bool = False
    utc: bool = False
    mixed: bool = False
    first_year: int = 1969  # as in POSIX


@dataclass(frozen=True, eq=False)
class Column:
    """One column of n rows.

    Attributes
    ----------
    name : str
        Its name, unique in the table.
    format : Format
        Its type, and how its cells are read.
    cells : sequence of str
        Its cells as text without surrounding spaces, [n].
    present : ndarray of bool
        Whether a cell has a value that was understood, [n].
    numbers : ndarray of float64, optional
        Of numbers and dates: the values, NaN where not present, [n]. Dates are seconds since
        1970-01-01.
    codes : ndarray of int32, optional
        Of categories and constants: the index in `words` of each cell, −1 where not present, [n].
    words : tuple of str
        The different values, by their most frequent spelling, sorted.
    unreadable : int
        Cells that do not fit the type and are treated as missing.
    examples : tuple of Cell
        The first three of these.
    reason : str
        Why the column cannot be learned from, or empty.
    warnings : tuple of str
        Sentences about how it was read.
    """

    name: str
    format: Format
    cells: Sequence[str]
    present: NDArray[np.bool_]
    numbers: NDArray[np.float64] | None = None
    codes: NDArray[np.int32] | None = None
    words: tuple[str, ...] = ()
    unreadable: int = 0
    examples: tuple[Cell, ...] = ()
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """One of `COLUMN_TYPES`."""
        return self.format.type

    @property
    def missing(self) -> int:
        """Cells without a value, without the unreadable ones."""
        return int((~self.present).sum()) - self.unreadable

    @property
    def is_mostly_empty(self) -> bool:
        """Whether only the fact that a value is missing is learned from."""
        return float((~self.present).mean()) > MOSTLY_EMPTY

    @cached_property
    def distinct(self) -> int:
        """The number of different values."""
        if self.numbers is not None:
            return len(np.unique(self.numbers[self.present]))
        if self.codes is not None:
            return len(self.words)
        pairs = zip(self.cells, self.present, strict=True)
        return len({cell for cell, present in pairs if present})


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was read.

    Attributes
    ----------
    columns : tuple of Column
        All columns in the order of the file.
    target : int
        The index of the column to predict.
    lines : ndarray of int64
        The line of the file, counted from 1, in which each row begins, [n].
    encoding, delimiter : str
        As detected.
    header, header_is_sure : bool
        Whether the first line holds names, and whether that is sure.
    warnings : tuple of str
        Sentences about lines that were left out and similar findings.
    """

    columns: tuple[Column, ...]
    target: int
    lines: NDArray[np.int64]
    encoding: str = "UTF-8"
    delimiter: str = ","
    header: bool = True
    header_is_sure: bool = True
    warnings: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def features(self) -> tuple[Column, ...]:
        """All columns but the target."""
        return tuple(c for index, c in enumerate(self.columns) if index != self.target)

    def cells(self, row: int) -> dict[str, Any]:
        """Return the cells of a row by the names of the columns."""
        return {column.name: column.cells[row] for column in self.columns}
