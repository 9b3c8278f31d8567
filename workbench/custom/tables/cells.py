"""The cells of a column: how often each occurs, and their values, each computed once."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables import dates, numbers
from workbench.custom.tables.column import Format
from workbench.custom.tables.missing import is_missing

_SIMPLE = b"0123456789.eE+-\n"
_LEADING_ZERO = re.compile(r"\n[-+]?0\d")
_DECIMAL_POINT = re.compile(r"(?:\.\d{0,2}|\.\d{4,}|(?:\d{4}|\b0|[^\d]|^)\.\d{3})(?!\d)")
"""A point that does not separate thousands."""
_ISO = b"0123456789-: T\n"
_ISO_LENGTHS = (10, 16, 19)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?")
_FIRST_YEAR = -62135596800.0
"""The start of the year 1 in seconds since 1970."""
_EARLIEST_COMPACT = 1500_01_01
"""Smaller whole numbers are not dates like 20200131."""


class Cells:
    """The cells of one column.

    Parameters
    ----------
    cells
        Text without surrounding spaces, [n].
    class_words
        Words in lower case that are values here, and say elsewhere that a value is missing.
    """

    def __init__(self, cells: Sequence[str], class_words: frozenset[str] = frozenset()) -> None:
        self.cells = cells
        self._class_words = class_words
        self._values_by_format: dict[Format, dict[str, float]] = {}

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each different cell occurs."""
        return Counter(self.cells)

    @cached_property
    def values(self) -> list[str]:
        """The different cells that are not missing."""
        return [c for c in self.counts if not is_missing(c) or c.lower() in self._class_words]

    def counts_of(self, values: Sequence[str]) -> dict[str, int]:
        """How often each of some cells occurs."""
        return {value: self.counts[value] for value in values}

    @cached_property
    def simple_numbers(self) -> tuple[Format, NDArray[np.float64]] | None:
        """The format and the numbers if all cells are empty or digits, else None; [n].

        The decimal separator is the same in all cells, and separates no thousands. Numbers with
        leading zeros or as large as dates of eight digits may be no numbers.
        """
        text = "\n".join(self.cells)
        decimal = "," if "," in text and "." not in text else "."
        if decimal == ",":
            text = text.replace(",", ".")
        if not _is_simple(text) or ("." in text and not _DECIMAL_POINT.search(text)):
            return None
        try:
            cells = text.split("\n")
            if "" in cells:
                cells = [cell or "nan" for cell in cells]
            result = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return None
        if np.isnan(result).all() or np.nanmax(np.abs(result)) >= numbers.MAX_NUMBER:
            return None
        may_be_dates = np.nanmin(result) >= _EARLIEST_COMPACT
        is_rounded = np.nanmax(np.abs(result)) >= 10.0**numbers.MAX_DIGITS
        return None if may_be_dates or is_rounded else (Format("number", decimal), result)

    @cached_property
    def simple(self) -> tuple[Format, NDArray[np.float64]] | None:
        """The format and the values of `simple_numbers` or `_simple_dates`, else None."""
        return self.simple_numbers or _simple_dates(self.cells)

    @cached_property
    def dates(self) -> dict[str, dates.Parts | None]:
        """The parts of the different values as dates; None where one is not a date."""
        return {value: dates.read(value) for value in self.values}

    def read(self, format: Format) -> dict[str, float]:
        """Return the different values as numbers or seconds since 1970; NaN if not understood."""
        if format not in self._values_by_format:
            result = (
                _values(self.dates.values(), format)
                if format.type == "date"
                else (numbers.parse(self.values, format))
            )
            self._values_by_format[format] = dict(zip(self.values, result, strict=True))
        return self._values_by_format[format]

    def numbers(self, format: Format) -> NDArray[np.float64]:
        """Return the cells as numbers or seconds since 1970; NaN without a value, [n]."""
        if self.simple is not None and self.simple[0] == format:
            return self.simple[1]
        known = dict.fromkeys(self.counts, math.nan) | self.read(format)
        return np.fromiter(map(known.__getitem__, self.cells), np.float64, len(self.cells))


def _is_simple(text: str) -> bool:
    """Whether text has only characters of numbers, and no leading zeros."""
    # A pattern for both needs seven times as long.
    if not text.isascii() or text.encode("ascii").translate(None, _SIMPLE):
        return False
    return not _LEADING_ZERO.search(f"\n{text}")


def _simple_dates(cells: Sequence[str]) -> tuple[Format, NDArray[np.float64]] | None:
    """Return the format and seconds since 1970 if all cells are empty or ISO dates of one form."""
    first = next(filter(None, cells), "")
    text = "\n".join(cells)
    if (
        len(first) not in _ISO_LENGTHS
        or {*map(len, cells)} - {0, len(first)}
        or not text.isascii()
        or text.encode("ascii").translate(None, _ISO)
        or not _ISO_DATE.fullmatch(first)
    ):
        return None
    try:
        times = np.array([cell or "NaT" for cell in cells], "datetime64[s]")
    except ValueError:
        return None
    result = np.where(np.isnat(times), np.nan, times.astype(np.int64).astype(np.float64))
    return (Format("date"), result) if np.nanmin(result) >= _FIRST_YEAR else None


def only_in(values: Mapping[str, float], others: Mapping[str, float]) -> list[str]:
    """Return the cells that are understood in the first reading only."""
    return [c for c, value in values.items() if not math.isnan(value) and math.isnan(others[c])]


def read_values(values: Sequence[str], format: Format) -> list[float]:
    """Return different cells as numbers or seconds since 1970; NaN where one is neither."""
    if format.type == "number":
        return numbers.parse(values, format)
    return _values(map(dates.read, values), format)


def _values(parts: Iterable[dates.Parts | None], format: Format) -> list[float]:
    return [math.nan if part is None else dates.seconds(part, format) for part in parts]
