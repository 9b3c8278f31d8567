"""Fitted numbers with few digits: they are part of each file."""

from __future__ import annotations

from math import floor, log10

DIGITS = 6
"""Significant digits, relative to the range of the numbers."""


def rounded(value: float, spread: float) -> float:
    """Return a number rounded to `DIGITS` digits of `spread`, the range of such numbers.

    Examples
    --------
    >>> rounded(1981.123456789, 10.0)
    1981.12346
    """
    if not spread:
        return value
    result = round(value, DIGITS - 1 - floor(log10(spread)))
    return result or 0.0  # not -0.0
