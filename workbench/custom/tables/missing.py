"""Cells that say that a value is missing."""

from __future__ import annotations

from collections.abc import Collection

NO_VALUE = frozenset(
    [
        *("", "?", "-", "--", "---", "–", "—", ".", "..", "...", "*", "\\n"),
        *("na", "n/a", "n.a.", "n.a", "n. a.", "<na>", "nan", "-nan", "nat", "null", "nil"),
        *("none", "missing", "not available", "not applicable", "no data", "no value"),
        *("(null)", "[null]", "<null>", "(missing)", "(blank)", "(empty)", "<none>", "(none)"),
        *("#n/a", "#n/a n/a", "#na", "#nv", "k.a.", "k. a.", "s/d", "n.c.", "无", "缺失", "空"),
    ]
)
"""Cells without letter case that stand for no value, in any column."""
CLASS_WORDS = {"none": None, "-": "+", "–": "+", "na": "eu"}
"""Of these, the words that name a class where they are frequent in the target: always, or where
another value is present, such as the signs of a test and North America next to Europe."""


def is_missing(cell: str) -> bool:
    """Whether a cell without surrounding spaces says that its value is missing.

    Examples
    --------
    >>> [is_missing(cell) for cell in ("", "N/A", "#DIV/0!", "no", "0")]
    [True, True, True, False, False]
    """
    if len(cell) > 16:
        return False
    word = cell.lower()
    # The errors of spreadsheets, in any language: #VALUE!, #NAME?, #BEZUG!
    return word in NO_VALUE or (word[0] == "#" and word[-1] in "!?")


def class_words(values: Collection[str]) -> frozenset[str]:
    """Return the words that name a class in a target with these values, without letter case."""
    present = {value.lower() for value in values}
    return frozenset(
        word for word, other in CLASS_WORDS.items() if other is None or other in present
    )
