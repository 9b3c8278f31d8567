"""The type of each column, from all its cells."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables import dates, numbers
from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Format

MIN_UNDERSTOOD = 0.95
"""The share of cells that are numbers, or dates, in a column of these."""
MIN_MOSTLY = 0.5
"""The share of numbers in a column that also has a few frequent words, such as "never"."""
MAX_WORDS = 3
MAX_WORD_SHARE = 0.1
"""Different words for each different number in such a column, if that is more."""
MIN_NUMBERS = 20
"""Different numbers in such a column."""
MAX_CATEGORIES = 50
"""A column with more different values may be text, or identify rows."""
MIN_UNIQUE = 0.9
"""The share of different values in a column that identifies rows."""
TEXT_WORDS = 2.5
"""Words of an average cell of a text, where almost every cell differs."""
REPEATED_TEXT_WORDS = 4.0
"""The same, where cells repeat."""
LARGE_SAMPLE = 2000
"""Different cells whose words are counted."""
SAMPLE = 100
"""Different cells that are examined first."""
COMPACT_DATES = frozenset({8, 12, 14})
"""Digits of dates without separators: alone, with hour and minute, and with seconds."""
MIN_CODE = 3
"""Digits of codes with leading zeros, such as postal codes."""

_WORDS = re.compile(r"(?:(?<=\s)|^)\S*[^\W\d_]\S*")
_IDEOGRAPHS = re.compile("[\u3040-\u9fff]")


@dataclass(frozen=True)
class Guess:
    """How a column is read, and the other reading if its cells do not decide.

    See `NumberGuess` for the attributes.
    """

    format: Format
    alternative: Format | None = None
    decimal: str = ""
    is_sure: bool = False

    @property
    def readings(self) -> tuple[Format, ...]:
        """The format, and the alternative if there is one."""
        return (self.format,) if self.alternative is None else (self.format, self.alternative)


def guess(cells: Cells, delimiter: str) -> Guess:
    """Return how to read a column.

    Parameters
    ----------
    cells
        The cells of the column.
    delimiter
        The delimiter of the file; where it is a comma, a comma in a number is rarely decimal.
    """
    if cells.simple is not None:
        reading, values = cells.simple
        return Guess(reading, decimal="" if _are_whole(values) else reading.decimal)
    if not cells.values:
        return Guess(Format("empty"))
    number = None if _are_compact_dates(cells.values) else _number(cells, delimiter)
    if number is not None:
        return number
    date = _date(cells, delimiter)
    if date is not None:
        return date
    if len(cells.values) == 1:
        return Guess(Format("constant"))
    return Guess(Format(_type_of_words(cells)))


def of_numbers(guess: Guess, cells: Cells) -> Guess:
    """Return how to read a column of which some cells are numbers as Python writes them.

    Whole numbers may still be codes or dates, and numbers next to words may be categories.
    """
    if guess.format.type == "number":
        return Guess(Format("number", unit=guess.format.unit))
    is_whole = all(cell.removeprefix("-").isdigit() for cell in cells.values)
    return guess if is_whole or not _are_floats(cells.values) else Guess(Format("number"))


def _are_floats(values: Sequence[str]) -> bool:
    with suppress(ValueError):
        return bool([*map(float, values)])
    return False


def resolve(guesses: Sequence[Guess]) -> list[Guess]:
    """Decide ambiguous separators by the columns of the table that are not ambiguous."""
    known = {guess.decimal for guess in guesses if guess.decimal}
    if len(known) != 1:
        return list(guesses)
    decimal = known.pop()
    return [
        Guess(next(f for f in guess.readings if f.decimal == decimal), None, decimal)
        if guess.format.type == "number" and guess.alternative is not None
        else guess
        for guess in guesses
    ]


def words_in(text: str) -> float:
    """Return the number of words, two Chinese characters counting as one."""
    spaced = len(_WORDS.findall(text))
    return spaced if text.isascii() else spaced + len(_IDEOGRAPHS.findall(text)) / 2


def _are_whole(values: NDArray[np.float64]) -> bool:
    present = values[~np.isnan(values)]
    return bool((present == present.round()).all())


def _number(cells: Cells, delimiter: str) -> Guess | None:
    values = cells.values
    sample = values[:: len(values) // SAMPLE + 1]
    if numbers.share(sample) < MIN_MOSTLY or _are_codes(values):
        return None
    best = numbers.guess(cells.counts_of(values), delimiter)
    if _are_numbers(cells, best.format):
        return Guess(best.format, best.alternative, best.decimal, best.is_sure)
    mixed = numbers.mixed(best.format)
    return Guess(mixed) if _are_numbers(cells, mixed) else None


def _are_numbers(cells: Cells, format: Format) -> bool:
    values = cells.values
    odd = [value for value, number in cells.read(format).items() if math.isnan(number)]
    understood = 1 - _rows(cells, odd) / _rows(cells, values)
    different = len(values) - len(odd)
    most = max(MAX_WORDS, MAX_WORD_SHARE * different)
    few_words = len(odd) <= most and different >= MIN_NUMBERS and understood >= MIN_MOSTLY
    return different > 0 and (understood >= MIN_UNDERSTOOD or few_words)


def _rows(cells: Cells, values: Sequence[str]) -> int:
    """Return the number of rows with one of the values."""
    return sum(map(cells.counts.__getitem__, values))


def _are_codes(values: Sequence[str]) -> bool:
    """Whether numbers are codes: too long for float64, or of one length with leading zeros."""
    if max(map(len, values)) > numbers.MAX_DIGITS and all(map(str.isdigit, values)):
        return True
    if len({*map(len, values)}) > 1 or len(values[0]) <= MIN_CODE:
        return False
    return any(value[0] == "0" for value in values) and all(map(str.isdigit, values))


def _are_compact_dates(values: Sequence[str]) -> bool:
    """Whether all values are dates of digits only, such as 20200131, or with a time."""
    lengths = {*map(len, values)}
    if len(lengths) > 1 or len(values) < 2 or not lengths <= COMPACT_DATES:
        return False
    if not all(map(str.isdigit, values)):
        return False
    return all(dates.read(value) is not None for value in values)


def _date(cells: Cells, delimiter: str) -> Guess | None:
    values = cells.values[:: len(cells.values) // SAMPLE + 1]
    sample = [dates.read(value) for value in values]
    if sum(part is not None for part in sample) <= len(sample) / 2:
        return None
    parts = {value: part for value, part in cells.dates.items() if part is not None}
    understood = _rows(cells, [*parts])
    if understood < MIN_UNDERSTOOD * _rows(cells, cells.values):
        return None
    best = dates.guess([*parts.values()], delimiter)
    return Guess(best.format, best.alternative)


def _type_of_words(cells: Cells) -> str:
    values, total = cells.values, _rows(cells, cells.values)
    if len(values) <= MAX_CATEGORIES and len(values) < MIN_UNIQUE * total:
        return "category"
    sample = values[:: len(values) // LARGE_SAMPLE + 1]
    words = sum(map(words_in, sample)) / len(sample)
    if len(values) < MIN_UNIQUE * total:
        return "text" if words >= REPEATED_TEXT_WORDS else "category"
    return "text" if words >= TEXT_WORDS else "identifier"
