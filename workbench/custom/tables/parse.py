"""Columns from their cells, once it is known how they are read."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables import dates, numbers
from workbench.custom.tables.column import Column, Format
from workbench.custom.tables.inspection import Cell
from workbench.custom.tables.missing import CLASS_WORDS, is_missing

EXAMPLES = 3
MAX_EXAMPLE = 40
"""Characters of a cell that are shown."""


def parse(
    name: str,
    cells: Sequence[str],
    lines: NDArray[np.int64],
    format: Format,
    counts: Counter[str] | None = None,
    *,
    is_target: bool = False,
) -> Column:
    """Return a column whose cells are read in a given format.

    Parameters
    ----------
    name
        The name of the column.
    cells
        The cells without surrounding spaces, [n].
    lines
        The line of the file in which each row begins, [n].
    format
        How they are read, such as the format of the same column of another table.
    counts
        How often each different cell occurs, if it is known.
    is_target
        Whether "none" is a class, not a missing value.
    """
    counts = Counter(cells) if counts is None else counts
    values = [c for c in counts if not is_missing(c) or (is_target and c.lower() in CLASS_WORDS)]
    if format.type in {"number", "date"}:
        return _numeric(name, cells, lines, format, values)
    if format.type == "text":
        present = np.fromiter(map(set(values).__contains__, cells), np.bool_, len(cells))
        return Column(name, format, cells, present)
    return _words(name, cells, format, counts, values)


def read_values(values: Sequence[str], format: Format) -> list[float]:
    """Return different cells as numbers or seconds since 1970; NaN where one is neither."""
    if format.type == "number":
        return numbers.parse(values, format)
    parts = map(dates.read, values)
    return [math.nan if part is None else dates.seconds(part, format) for part in parts]


def category_key(text: str) -> str:
    """Return what spellings of the same category share: no case, no extra spaces.

    Examples
    --------
    >>> category_key(" Yes") == category_key("YES ")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _numeric(
    name: str,
    cells: Sequence[str],
    lines: NDArray[np.int64],
    format: Format,
    values: Sequence[str],
) -> Column:
    known = dict(zip(values, read_values(values, format), strict=True))
    result = np.fromiter((known.get(cell, math.nan) for cell in cells), np.float64, len(cells))
    wrong = {value for value, number in known.items() if math.isnan(number)}
    rows = [row for row, cell in enumerate(cells) if cell in wrong] if wrong else []
    examples = tuple(Cell(int(lines[row]), _shown(cells[row])) for row in rows[:EXAMPLES])
    present = ~np.isnan(result)
    return Column(
        name, format, cells, present, numbers=result, unreadable=len(rows), examples=examples
    )


def _words(
    name: str, cells: Sequence[str], format: Format, counts: Counter[str], values: Sequence[str]
) -> Column:
    """Return a column of categories; spellings that differ in case or spaces only are one."""
    spellings: dict[str, str] = {}
    for value in values:
        key = category_key(value)
        if key not in spellings or counts[value] > counts[spellings[key]]:
            spellings[key] = value
    words = tuple(sorted(spellings.values()))
    index = {category_key(word): code for code, word in enumerate(words)}
    codes_of = {value: index[category_key(value)] for value in values}
    codes = np.fromiter((codes_of.get(cell, -1) for cell in cells), np.int32, len(cells))
    return Column(name, format, cells, codes >= 0, codes=codes, words=words)


def _shown(cell: str) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= MAX_EXAMPLE else f"{line[: MAX_EXAMPLE - 1]}…"
