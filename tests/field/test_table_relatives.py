"""Spellings of dates, numbers and layouts that further programs and countries write."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

import workbench as wb
from tests.field.test_table_cases import BUYS, ROWS, column, csv, report
from workbench.custom.tables.read import read

RANDOM = random.Random(5)
MOMENTS = [
    datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=RANDOM.randint(0, 4 * 10**6))
    for _ in range(ROWS)
]
POLISH = (
    *("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia"),
    *("września", "października", "listopada", "grudnia"),
)
TURKISH = (
    *("Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos"),
    *("Eylül", "Ekim", "Kasım", "Aralık"),
)


def half(day, words):
    """Return a time of twelve hours after the word of its half of the day."""
    return f"{words[day.hour >= 12]} {(day.hour % 12) or 12}:{day.minute:02d}"


WITH_TIME = {
    "C": lambda d: d.strftime("%a %b %d %H:%M:%S %Y"),
    "network feeds": lambda d: d.strftime("%a %b %d %H:%M:%S +0000 %Y"),
    "Unix": lambda d: d.strftime("%a %b %d %H:%M:%S UTC %Y"),
    "Chinese halves": lambda d: f"{d.year}/{d.month}/{d.day} {half(d, ('上午', '下午'))}",
    "Korean halves": lambda d: f"{d.year}. {d.month}. {d.day}. {half(d, ('오전', '오후'))}",
    "digits": lambda d: d.strftime("%Y%m%d%H%M%S"),
    "digits without seconds": lambda d: d.strftime("%Y%m%d%H%M"),
    "compact day": lambda d: d.strftime("%Y%m%d %H:%M"),
    "compact ISO": lambda d: d.strftime("%Y%m%dT%H%M%SZ"),
    "German clock": lambda d: d.strftime("%d.%m.%Y, %H:%M Uhr"),
}
DAYS = {
    "Korean": lambda d: f"{d.year}년 {d.month}월 {d.day}일",
    "Korean points": lambda d: f"{d.year}. {d.month}. {d.day}.",
    "Polish": lambda d: f"{d.day} {POLISH[d.month - 1]} {d.year}",
    "Turkish": lambda d: f"{d.day} {TURKISH[d.month - 1]} {d.year}",
}
MONTHS = {
    "year and name": lambda d: d.strftime("%Y-%b"),
    "statistics": lambda d: f"{d.year}M{d.month:02d}",
}
SPELLINGS = [
    *((name, write, {}) for name, write in WITH_TIME.items()),
    *((name, write, {"hour": 0, "minute": 0}) for name, write in DAYS.items()),
    *((name, write, {"day": 1, "hour": 0, "minute": 0}) for name, write in MONTHS.items()),
]


@pytest.mark.parametrize(
    ("write", "zero"), [s[1:] for s in SPELLINGS], ids=[name for name, *_rest in SPELLINGS]
)
def test_dates_of_other_programs(write, zero):
    result = column(csv("when,b,y", lambda n: (f'"{write(MOMENTS[n])}"', n % 7, n % 2)), "when")
    assert result.type == "date"
    assert result.numbers.tolist() == [d.replace(**zero).timestamp() for d in MOMENTS]


NUMBERS = {"a percent sign of full width": "{}％", "the mark of a text": "'{}"}


@pytest.mark.parametrize("spelling", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_other_programs(spelling):
    result = column(csv("a,b,y", lambda n: (spelling.format(n * 1.25), n % 7, n % 2)), "a")
    assert result.numbers.tolist() == [n * 1.25 for n in range(ROWS)]


def test_whole_numbers_too_long_for_a_float_are_no_numbers():
    text = csv("key,b,y", lambda n: (10**17 + 7 * n, n % 7, n % 2))
    assert (report(text, "key").type, report(text, "key").used) == ("identifier", False)
    text = csv("key,b,y", lambda n: (10**15 + 7 * n, n % 7, n % 2))
    assert column(text, "key").numbers.tolist() == [10.0**15 + 7 * n for n in range(ROWS)]


def test_a_table_in_markdown():
    lines = [f"| {line.replace(',', ' | ')} |" for line in BUYS.splitlines()]
    result = wb.inspect_table("\n".join([lines[0], "|---|:---:|---|", *lines[1:]]).encode())
    assert (result.rows_read, result.target.name) == (ROWS, "buys")
    assert [c.missing for c in result.columns if c.used] == [0, 0]


def test_years_as_names_next_to_a_word_that_is_no_value():
    text = csv("2019,2020,label", lambda n: (n * 1.25, n % 3, ["yes", "no"][n % 2]))
    result = wb.inspect_table(text.encode())
    assert (result.header, result.header_is_sure, result.rows_read) == (True, False, ROWS)
    sorted_rows = csv("", lambda n: (n * 1.25, n % 3, "abc"[n // 40]))
    assert not read(sorted_rows.encode()).header


@pytest.mark.parametrize("answers", [("yes", "no"), (1, 0)])
def test_a_column_that_only_one_class_fills_is_said(answers):
    text = csv("day,b,y", lambda n: (n if n % 3 else "", n % 7, answers[n % 3 == 0]))
    assert wb.inspect_table(text.encode()).leaks == ("day",)
    text = csv("day,b,y", lambda n: (n if n % 4 else "", n % 7, answers[n % 3 == 0]))
    assert wb.inspect_table(text.encode()).leaks == ()
