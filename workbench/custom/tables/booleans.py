"""Columns of yes and no that spell them in several ways."""

from __future__ import annotations

from collections.abc import Iterator

from workbench import formatting
from workbench.custom.tables.column import Column
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _

YES = frozenset(
    [
        "1",
        "true",
        "t",
        "yes",
        "y",
        "ja",
        "j",
        "oui",
        "o",
        "sí",
        "si",
        "sim",
        "да",
        "tak",
        "是",
        "真",
    ]
)
NO = frozenset(
    ["0", "false", "f", "no", "n", "nein", "non", "não", "nao", "нет", "nie", "nej", "否", "假"]
)
MAX_NAMES = 3


def several_spellings(column: Column) -> Iterator[str]:
    """Yield a sentence if all words of a column mean yes or no, and several mean the same."""
    spellings = {word: word.lower() for word in column.words}
    if len(spellings) < 3 or not {*spellings.values()} <= YES | NO:
        return
    for meaning in (YES, NO):
        same = [word for word, lower in spellings.items() if lower in meaning]
        if len(same) > 1:
            yield _(
                "{column}: {words} may mean the same, but are different values: use one spelling "
                "for each."
            ).format(
                column=quoted(column.name),
                words=formatting.names([*map(quoted, same)], MAX_NAMES),
            )
            return
