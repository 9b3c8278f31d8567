"""Names of months in European languages, by their first letters."""

from __future__ import annotations

_NAMES = (
    ("jan", "ene", "gen", "янв", "sty", "oca"),
    ("feb", "fév", "fev", "фев", "lut", "şub"),
    ("mar", "mär", "már", "mrz", "maa", "мар"),
    ("apr", "avr", "abr", "апр", "ápr", "kwi", "nis"),
    ("may", "mai", "mag", "mei", "maj", "máj", "май", "мая"),
    ("jun", "jún", "juin", "giu", "июн", "cze", "haz"),
    ("jul", "júl", "juil", "lug", "июл", "lip", "tem"),
    ("aug", "aoû", "aou", "ago", "авг", "sie", "ağu"),
    ("sep", "set", "сен", "wrz", "sze", "eyl"),
    ("oct", "okt", "ott", "out", "окт", "paź", "eki"),
    ("nov", "ноя", "lis", "kas"),
    ("dec", "déc", "dez", "dic", "дек", "gru", "ara"),
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
