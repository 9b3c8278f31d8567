"""Names of months, by their first letters."""

from __future__ import annotations

_NAMES = (
    ("jan", "ene", "gen", "янв"),
    ("feb", "fév", "fev", "фев"),
    ("mar", "mär", "mrz", "maa", "мар"),
    ("apr", "avr", "abr", "апр"),
    ("may", "mai", "mag", "mei", "maj", "май", "мая"),
    ("jun", "juin", "giu", "июн"),
    ("jul", "juil", "lug", "июл"),
    ("aug", "aoû", "aou", "ago", "авг"),
    ("sep", "set", "сен"),
    ("oct", "okt", "ott", "out", "окт"),
    ("nov", "ноя"),
    ("dec", "déc", "dez", "dic", "дек"),
)
_MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names}


def month_of(name: str) -> int | None:
    """Return the number of a month from its name or its first letters, or None.

    Examples
    --------
    >>> month_of("September"), month_of("juil"), month_of("Monday")
    (9, 7, None)
    """
    word = name.lower()
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3])
