"""Sentences about columns that could be read in two ways."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

from workbench import formatting
from workbench.custom.tables.cells import read_values
from workbench.custom.tables.column import Column
from workbench.custom.tables.column_types import Guess
from workbench.custom.tables.parse import category_key
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _


def ambiguities(column: Column, guess: Guess) -> Iterator[str]:
    """Yield a sentence if the cells of a column differ in reading, or allow another one."""
    if guess.format.mixed:
        yield _mixed(column)
    if guess.alternative is None or guess.is_sure or column.numbers is None:
        return
    for cell in dict.fromkeys(column.cells):
        value, other = (
            read_values([cell], reading)[0] for reading in (guess.format, guess.alternative)
        )
        if value != other and not math.isnan(value) and not math.isnan(other):
            yield _(
                "{name}: {cell} is read as {value}; it could also be {other}. If that is wrong, "
                "write it differently in the file."
            ).format(
                name=quoted(column.name),
                cell=quoted(cell),
                value=written(value, column.type),
                other=written(other, column.type),
            )
            return


def merged_spellings(column: Column, spellings: Collection[str]) -> str:
    """Return a sentence about spellings that were read as one category, or an empty string."""
    merged = len(spellings) - len(column.words)
    if merged <= 0:
        return ""
    known = set(column.words)
    example = min(set(spellings) - known)
    key = category_key(example)
    word = next(word for word in column.words if category_key(word) == key)
    return _(
        "{name}: spellings that differ only in capital letters or spaces are read as one value, "
        "such as {example} as {word}."
    ).format(name=quoted(column.name), example=quoted(example), word=quoted(word))


def _mixed(column: Column) -> str:
    """Return a sentence about numbers whose separators differ, with one of each kind."""
    assert column.numbers is not None, "mixed separators are those of numbers"
    examples: dict[str, str] = {}
    for cell, number in zip(column.cells, column.numbers.tolist(), strict=True):
        mark = re.sub("[^.,]", "", cell)[-1:]
        if mark and mark not in examples and not math.isnan(number):
            examples[mark] = _("{cell} as {value}").format(
                cell=quoted(cell), value=written(number, "number")
            )
    return _(
        "{name}: the decimal separators of its numbers differ, so each cell is read by itself: "
        "{examples}."
    ).format(name=quoted(column.name), examples=", ".join(examples.values()))


def written(value: float, type: str) -> str:
    """Return a number, or seconds since 1970 as a date."""
    if type != "date":
        return formatting.count(int(value)) if value == int(value) else f"{value:,}"
    moment_of = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    return f"{moment_of:%Y-%m-%d}"
