"""Names of months in many languages, by their first letters."""

from __future__ import annotations

_NAMES = (
    "jan ene gen янв sty oca tammi led ιαν ian sau jaa січ يناي",
    "feb fév fev фев lut şub helmi úno φεβ vas vee лют فبرا",
    "mar mär már mrz mrt maa мар bře μαρ μάρ kov бер مارس",
    "apr avr abr апр ápr kwi nis huhti dub απρ bal кві أبري ابري",
    "may mai mag mei maj máj май мая touko kvě μαΐ μαϊ μάι geg тра مايو",
    "jun jún jūn juin giu июн cze haz kesä červn červen ιουν ιούν iun bir juun чер يوني",
    "jul júl jūl juil lug июл lip tem heinä červenc červene ιουλ ιούλ iul lie juul лип يولي",
    "aug avg aoû aou ago agu авг sie ağu elo srpn srpen αυγ αύγ rugp сер أغسط اغسط",
    "sep set сен wrz sze eyl syys zář σεπ rugs вер سبتم",
    "oct okt ott out окт paź eki loka říj οκτ spa жов أكتو اكتو",
    "nov ноя lis kas marra νοε νοέ noi noie lap лис نوفم",
    "dec déc dez dic des дек gru ara joulu pro δεκ det гру ديسم",
)
"""The names of each month, in the languages in which it begins like no other month."""
_MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
_LENGTHS = sorted({*map(len, _MONTHS)}, reverse=True)


def month_of(name: str) -> int | None:
    """Return the number of a month from its name or its first letters, or None.

    Examples
    --------
    >>> month_of("September"), month_of("juil"), month_of("Monday")
    (9, 7, None)
    """
    word = name.lower()
    numbers = (_MONTHS.get(word[:length]) for length in _LENGTHS)
    return next((number for number in numbers if number), None)
