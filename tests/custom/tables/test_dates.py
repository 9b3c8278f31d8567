"""Dates in many languages, durations, and columns with two orders of day and month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import workbench as wb
from workbench.custom.tables.read import read

DAYS = [datetime(2018, 1, 3, tzinfo=UTC) + timedelta(days=13 * n) for n in range(90)]
ANSWERS = ["yes" if n % 3 else "no" for n in range(90)]
MONTHS = {
    "Arabic": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "Czech": "ledna února března dubna května června července srpna září října listopadu prosince",
    "Dutch, short": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "Estonian": "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november "
    "detsember",
    "Finnish": "tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu "
    "lokakuu marraskuu joulukuu",
    "Greek": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου "
    "Οκτωβρίου Νοεμβρίου Δεκεμβρίου",
    "Indonesian": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November "
    "Desember",
    "Lithuanian": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio "
    "lapkričio gruodžio",
    "Romanian": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie "
    "noiembrie decembrie",
    "Slovene": "januar februar marec april maj junij julij avgust september oktober november "
    "december",
    "Ukrainian": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада "
    "грудня",
}


def column_of(cells):
    lines = (f"{cell};{answer}" for cell, answer in zip(cells, ANSWERS, strict=True))
    return read("\n".join(["when;answer", *lines]).encode()).columns[0]


@pytest.mark.parametrize("language", MONTHS)
@pytest.mark.parametrize("form", ["{0.day}. {1} {0.year}", "{0.year}. {1} {0.day}."])
def test_names_of_months(language, form):
    names = MONTHS[language].split()
    column = column_of([form.format(day, names[day.month - 1]) for day in DAYS])
    assert column.type == "date"
    assert column.numbers.tolist() == [day.timestamp() for day in DAYS]


SECONDS = [1234.5 * n for n in range(90)]


def python_text(seconds):
    return str(timedelta(seconds=seconds))


def pandas_text(seconds):
    days, rest = divmod(seconds, 86_400)
    return f"{days:.0f} days {python_text(rest).rjust(8, '0')}"


DURATIONS = {
    "Python": ([python_text(x) for x in SECONDS], SECONDS),
    "pandas": ([pandas_text(x) for x in SECONDS], SECONDS),
    "laps": ([f"{n % 9}:{n % 60:02d}.{n:03d}" for n in range(90)], None),
}


@pytest.mark.parametrize("name", DURATIONS)
def test_durations_are_seconds(name):
    cells, seconds = DURATIONS[name]
    expected = seconds or [60 * (n % 9) + n % 60 + n / 1000 for n in range(90)]
    assert column_of(cells).numbers.tolist() == pytest.approx(expected)


def both(share):
    """Return dates of which a share has the month first."""
    period = round(1 / share)
    return [day.strftime("%d/%m/%Y" if n % period else "%m/%d/%Y") for n, day in enumerate(DAYS)]


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_dates_of_two_orders_are_not_used_and_both_are_named(share):
    cells = both(share)
    table = {"when": cells, "size": list(range(0, 270, 3)), "answer": ANSWERS}
    column, other = wb.inspect_table(table).columns
    assert (column.type, column.used, other.used) == ("date", False, True)
    day_first = next(c for n, c in enumerate(cells) if n % round(1 / share) and int(c[:2]) > 12)
    month_first = next(c for c in cells if int(c[3:5]) > 12)
    assert f"“{day_first}”" in column.note
    assert f"“{month_first}”" in column.note


def test_a_few_dates_of_the_other_order_are_missing():
    cells = [day.strftime("%d/%m/%Y") for day in DAYS]
    cells[4] = "04/30/2018"
    column = column_of(cells)
    assert (column.reason, column.unreadable) == ("", 1)
    assert column.examples[0].text == cells[4]
