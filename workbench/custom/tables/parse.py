"""Columns from their cells, once it is known how they are read."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Column, Format
from workbench.custom.tables.inspection import Cell

EXAMPLES = 3
MAX_EXAMPLE = 40
"""Characters of a cell that are shown."""


def parse(
    name: str, cells: Sequence[str] | Cells, lines: NDArray[np.int64], format: Format
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
    """
    source = cells if isinstance(cells, Cells) else Cells(cells)
    if format.type in {"number", "date"}:
        return _numeric(name, source, lines, format)
    if format.type in {"text", "identifier"}:
        values = set(source.values)
        present = np.fromiter(map(values.__contains__, source.cells), np.bool_, len(lines))
        return Column(name, format, source.cells, present)
    return _words(name, source, format)


def category_key(text: str) -> str:
    """Return what spellings of the same category share: no case, no extra spaces.

    Examples
    --------
    >>> category_key(" Yes") == category_key("YES ")
    True
    """
    letters = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(letters.casefold().split())


def _numeric(name: str, source: Cells, lines: NDArray[np.int64], format: Format) -> Column:
    result = source.numbers(format)
    present = ~np.isnan(result)
    rows: list[int] = []
    simple = source.simple
    if not present.all() and (simple is None or simple[0] != format):
        odd = {value for value, number in source.read(format).items() if math.isnan(number)}
        rows = [row for row in np.flatnonzero(~present).tolist() if source.cells[row] in odd]
    examples = tuple(Cell(int(lines[row]), _shown(source.cells[row])) for row in rows[:EXAMPLES])
    return Column(
        name,
        format,
        source.cells,
        present,
        numbers=result,
        unreadable=len(rows),
        examples=examples,
    )


def _words(name: str, source: Cells, format: Format) -> Column:
    """Return a column of categories; spellings that differ in case or spaces only are one."""
    spellings: dict[str, str] = {}
    keys = {value: category_key(value) for value in source.values}
    for value, key in keys.items():
        if key not in spellings or source.counts[value] > source.counts[spellings[key]]:
            spellings[key] = value
    words = tuple(sorted(spellings.values()))
    index = {keys[word]: code for code, word in enumerate(words)}
    codes_of = dict.fromkeys(source.counts, -1) | {v: index[key] for v, key in keys.items()}
    codes = np.fromiter(map(codes_of.__getitem__, source.cells), np.int32, len(source.cells))
    return Column(name, format, source.cells, codes >= 0, codes=codes, words=words)


def _shown(cell: str) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= MAX_EXAMPLE else f"{line[: MAX_EXAMPLE - 1]}…"
