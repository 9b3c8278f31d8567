"""Dates and times in the usual spellings; the order of day and month is decided by column."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from workbench.custom.tables.column import Format
from workbench.custom.tables.month_names import month_of

YEARS = range(1500, 2201)
LAST_SHORT_YEAR = 49
"""A column whose last year of two digits is later ends in the twentieth century."""
MAX_LENGTH = 50

_TIME = (
    r"(?:[T ,:]\s*(?:at\s+|um\s+)?(?P<half_before>[上下]午|오[전후])?\s*(?P<hour>\d{1,2})"
    r"(?:[:h.](?P<minute>\d{2}))(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?(?:\s*(?:Uhr|uur|hrs?))?"
    r"\s*(?P<zone>Z|[A-Z]{3,4}|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_NAME = r"(?P<name>[^\W\d_]{3,12})\.?"
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,?\s+)?"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_LONG_YEAR = r"(?P<year>\d{4})"
_DAY = r"(?P<day>\d{1,2})"
_COMPACT_TIME = r"(?:[T ]?(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?Z?)?"
_SECOND = r":(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?"
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"(?:\s+(?P<zone>[A-Z]{3,4}|[+-]\d{4}))?"
)
_WITH_TIME = (
    rf"{_LONG_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark){_DAY}",
    rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<last>\d{{1,2}})(?P=mark){_YEAR}",
    rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th|\.)?[-/\s]*(?:de\s+)?{_NAME}[-/\s,]*(?:de\s+)?{_YEAR}",
    rf"{_WEEKDAY}{_NAME}[-\s]*{_DAY}(?:st|nd|rd|th)?[-,\s]+{_LONG_YEAR}",
    rf"{_LONG_YEAR}\.?[-\s]\s*{_NAME}[-\s]\s*{_DAY}\.?",
    rf"{_LONG_YEAR}[年년]\s*(?P<month>\d{{1,2}})[月월]\s*{_DAY}[日일]",
    rf"{_LONG_YEAR}\.\s*(?P<month>\d{{1,2}})\.\s*{_DAY}\.?",
)
_WITHOUT_TIME = (
    r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})" + _COMPACT_TIME,
    rf"{_WEEKDAY}{_NAME}\s+{_DAY}\s+{_CLOCK}\s+{_LONG_YEAR}",
    rf"{_LONG_YEAR}[-/.](?P<month>\d{{1,2}})",
    rf"(?P<month>\d{{1,2}})[-/.]{_LONG_YEAR}",
    rf"{_LONG_YEAR}[-\s]?M(?P<month>\d{{1,2}})",
    rf"{_LONG_YEAR}[-/\s]{_NAME}",
    rf"{_NAME}[-\s,]+{_LONG_YEAR}",
    rf"{_NAME}-{_YEAR}",
    rf"{_LONG_YEAR}[-\s]?[Qq](?P<quarter>[1-4])",
    rf"[Qq](?P<quarter>[1-4])[-/\s]?{_LONG_YEAR}",
    rf"{_LONG_YEAR}[年년]\s*(?P<month>\d{{1,2}})[月월]",
    rf"(?P<hour>\d{{1,3}}):(?P<minute>\d{{2}})(?:{_SECOND})?\s*(?P<half>[AaPp]\.?[Mm]\.?)?",
    r"(?P<minute>\d{1,2}):(?P<second>\d{2})[.,](?P<fraction>\d{1,9})",
    rf"(?P<days>-?\d{{1,6}}) days?,?(?:\s+\+?(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}}){_SECOND})?",
)
_PATTERNS = tuple(
    re.compile(pattern) for pattern in (*(p + _TIME for p in _WITH_TIME), *_WITHOUT_TIME)
)
_HAS_DIGIT = re.compile(r"\d")
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class DateGuess:
    """How the cells of a column may be dates.

    Attributes
    ----------
    format : Format
        The order of day and month, and whether times are converted to UTC.
    alternative : Format, optional
        The other order, if the cells do not decide.
    """

    format: Format
    alternative: Format | None = None


class Parts(NamedTuple):
    """A cell that is a date: its year, and two numbers that are month and day in some order."""

    year: int
    """Below 100 if the cell has two digits of it."""
    first: int
    second: int
    mark: str
    """The separator if the order of month and day is open; else empty, and month is first."""
    time: float
    """Seconds since midnight."""
    offset: int | None
    """Seconds from UTC to the time zone, if the cell names one."""


def read(cell: str) -> Parts | None:
    """Return the parts of a date, a time or both; None for any other text."""
    if len(cell) > MAX_LENGTH or not _HAS_DIGIT.search(cell):
        return None
    if cell[4:5] == "-" and (len(cell) >= 10 or cell[5:6] == "W"):
        try:
            return _from_datetime(datetime.fromisoformat(cell))
        except ValueError:
            pass
    for pattern in _PATTERNS:
        if match := pattern.fullmatch(cell):
            parts = _from_match({name: text for name, text in match.groupdict().items() if text})
            if parts is not None:
                return parts
    return None


def guess(parts: Sequence[Parts], delimiter: str) -> DateGuess:
    """Return the order of day and month, and whether times are converted to UTC.

    A number above 12 is a day, a number that is always the same is the first day of a month, and
    an order in which the dates of the file increase is right. Otherwise points and semicolons
    indicate that the day is first.
    """
    utc = len({part.offset for part in parts}) > 1
    first_year = _first_year({part.year for part in parts if part.year < 100})
    day_first, month_first = (
        Format("date", day_first=x, utc=utc, first_year=first_year) for x in (True, False)
    )
    open_parts = [part for part in parts if part.mark]
    firsts, seconds = {p.first for p in open_parts}, {p.second for p in open_parts}
    above = [sum(p.first > 12 for p in open_parts), sum(p.second > 12 for p in open_parts)]
    if not open_parts or above[0] != above[1]:
        return DateGuess(day_first if above[0] > above[1] else month_first)
    if (len(firsts) == 1) != (len(seconds) == 1) and len(open_parts) > 2:
        return DateGuess(day_first if len(firsts) == 1 else month_first)
    increases = [_increases(open_parts, order) for order in (day_first, month_first)]
    if increases[0] != increases[1]:
        likely = increases[0]
    else:
        likely = open_parts[0].mark == "." or delimiter == ";"
    return DateGuess(*((day_first, month_first) if likely else (month_first, day_first)))


def seconds(parts: Parts, format: Format) -> float:
    """Return seconds since 1970-01-01; NaN if there is no such date."""
    month, day = parts.first, parts.second
    if parts.mark and format.day_first:
        month, day = day, month
    try:
        days = date(_full_year(parts.year, format.first_year), month, day).toordinal() - _EPOCH
    except ValueError:
        return math.nan
    shift = parts.offset or 0 if format.utc else 0
    return days * 86400.0 + parts.time - shift


def _first_year(years: set[int]) -> int:
    """Return the first of the hundred years in which years of two digits are.

    They span as few years as possible: 36 and 99 with 03 are 1936, 1999 and 2003.
    """
    if not years:
        return Format("date").first_year
    ordered = sorted(years)
    gaps = [b - a for a, b in pairwise([*ordered, ordered[0] + 100])]
    last = ordered[max(range(len(gaps)), key=lambda index: (gaps[index], ordered[index]))]
    return (1901 if last > LAST_SHORT_YEAR else 2001) + last - 100


def _full_year(year: int, first_year: int) -> int:
    return year if year >= 100 else first_year + (year - first_year) % 100


def _increases(parts: Sequence[Parts], format: Format) -> bool:
    values = [seconds(part, format) for part in parts]
    return all(a <= b for a, b in pairwise(values))


def _from_datetime(value: datetime) -> Parts:
    time = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    offset = value.utcoffset()
    zone = None if offset is None else round(offset.total_seconds())
    return Parts(value.year, value.month, value.day, "", time, zone)


def _from_match(groups: dict[str, str]) -> Parts | None:
    """Return the parts of a matched date, or None if a number is out of range."""
    year = int(groups.get("year", 1970))
    time = _time(groups)
    if (len(groups.get("year", "1970")) == 4 and year not in YEARS) or time is None:
        return None
    offset = _offset(groups["zone"]) if "zone" in groups else None
    if "first" in groups:
        first, second = int(groups["first"]), int(groups["last"])
        if not (1 <= min(first, second) <= 12 and max(first, second) <= 31):
            return None
        return Parts(year, first, second, groups["mark"], time, offset)
    month: int | None = int(groups.get("month", 1))
    if "name" in groups:
        month = month_of(groups["name"])
    elif "quarter" in groups:
        month = 3 * int(groups["quarter"]) - 2
    day = int(groups.get("day", 1))
    if month is None or not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return Parts(year, month, day, "", time, offset)


def _time(groups: dict[str, str]) -> float | None:
    """Return seconds since midnight, or None if there is no such time."""
    hour, minute = int(groups.get("hour", 0)), int(groups.get("minute", 0))
    whole_seconds = int(groups.get("second", 0))
    if half := groups.get("half", groups.get("half_before")):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "Pp下" or half == "오후" else 0)
    if ("year" in groups and hour > 24) or minute > 59 or whole_seconds > 60:
        return None
    seconds = int(groups.get("days", 0)) * 86400 + hour * 3600 + minute * 60 + whole_seconds
    return seconds + float(f"0.{groups.get('fraction', 0)}")


def _offset(zone: str) -> int | None:
    """Return seconds from UTC; None for the name of a zone, whose times are local."""
    if zone[0] not in "+-":
        return 0 if zone in {"Z", "UTC", "GMT"} else None
    digits = zone[1:].replace(":", "")
    size = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return -size if zone[0] == "-" else size
