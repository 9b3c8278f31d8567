"""Characters that no reader of a table sees: they are removed before it is divided into cells."""

from __future__ import annotations

import re

MAX_NULLS = 0.2
"""The largest share of null characters: those that pad cells, or that a power cut left."""

_INVISIBLE = re.compile("[\ufeff\u200b\u2060\u200e\u200f]")
"""Byte order marks of joined files, zero-width spaces, and marks of the direction of writing."""
_WIDE_NUMBER = re.compile("[０-９][０-９．，％]*")
_NARROW = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), 0xFF0E, 0xFF0C, 0xFF05)}


def clean(text: str) -> str:
    r"""Return text without invisible characters, and with numbers of full width in plain digits.

    Examples
    --------
    >>> clean("x,１２．５\u200b")
    'x,12.5'
    """
    if text.count("\0") <= MAX_NULLS * len(text):
        text = text.replace("\0", "")
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        text = _WIDE_NUMBER.sub(lambda match: match[0].translate(_NARROW), text)
    return text.rstrip("\x1a")  # the end of a file on DOS
