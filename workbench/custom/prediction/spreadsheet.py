"""CSV that a spreadsheet can open: no text of the data runs as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""A spreadsheet takes a text that begins so for a formula."""
NUMBER = re.compile(r"[+-]?[\d.,' \u00a0\u202f]*\d[.,]?(?:[eE][+-]?\d+)?\s?%?")
"""Texts that begin with a sign and are numbers: they stay as they are."""


def to_csv(columns: Mapping[str, Sequence[Any]]) -> str:
    """Return columns of equal length as CSV with a header.

    Floats have as many digits as it takes to read the same number again.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # "\r\n", as spreadsheets do; a lone "\r" is quoted
    writer.writerow(map(safe_cell, columns))
    writer.writerows(map(safe_cell, row) for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def safe_cell(value: Any) -> Any:
    """Return a cell; before a text that would be a formula stands an apostrophe.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("-1.5"), safe_cell(-1.5), safe_cell("-")
    ("'=1+1", '-1.5', -1.5, '-')
    """
    if not isinstance(value, str) or len(value) < 2 or not value.startswith(STARTS):
        return value
    return value if NUMBER.fullmatch(value) else f"'{value}"
