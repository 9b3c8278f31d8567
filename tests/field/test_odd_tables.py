"""Tables that programs of other fields write: invisible characters, joined files, rare layouts."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

import workbench as wb
from tests.raises import raises
from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Format
from workbench.custom.tables.read import read

ROWS = 60
AMOUNTS = [(37 * n) % 101 + 0.25 for n in range(ROWS)]
ANSWERS = ["yes" if n % 3 else "no" for n in range(ROWS)]


def table(cells, header="x,answer", delimiter=","):
    lines = (f"{cell}{delimiter}{answer}" for cell, answer in zip(cells, ANSWERS, strict=True))
    return "\n".join([header.replace(",", delimiter), *lines])


BENGALI = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
PLAIN = table(AMOUNTS)
ATTRIBUTES = "% made\n@RELATION t\n\n@attribute x numeric\n@attribute answer {yes,no}\n@DATA\n"
BODY = PLAIN.split("\n", 1)[1]
SAME = {
    "a mark in each line": PLAIN.replace("\n", "\n\ufeff"),
    "zero-width spaces": PLAIN.replace(",", "\u200b,\u200e"),
    "null characters around cells": PLAIN.replace(",", "\0,"),
    "null characters of a power cut": PLAIN + "\n" + "\0" * 50,
    "digits of full width": PLAIN.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789."}),
    "commas of full width": table(AMOUNTS, delimiter="，"),
    "two colons": table(AMOUNTS, delimiter="::"),
    "carets": table(AMOUNTS, delimiter="^"),
    "tildes": table(AMOUNTS, delimiter="~"),
    "Weka": ATTRIBUTES + BODY,
    "Weka with comments": ATTRIBUTES + "% first\n" + BODY,
    "a point of Arabic": table([str(x).replace(".", "٫") for x in AMOUNTS]),
    "Fortran": table([f"{amount / 100:.4f}D+02" for amount in AMOUNTS]),
    "stars of significance": table([f"{x}{'*' * (n % 4)}" for n, x in enumerate(AMOUNTS)]),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_the_values_are_those_of_the_plain_table(text):
    result = read(text.encode())
    assert result.names == ("x", "answer")
    assert result.columns[0].numbers.tolist() == pytest.approx(AMOUNTS, abs=1e-9)
    assert [result.columns[1].words[code] for code in result.columns[1].codes] == ANSWERS


WHOLE = [(37 * n) % 1001 + 1 for n in range(ROWS)]
SIGNED = [-x if n % 3 else x for n, x in enumerate(AMOUNTS, start=1)]
SPELLINGS = {
    "prices without cents": ([f"{x},-" for x in WHOLE], WHOLE),
    "prices with a dash of two signs": ([f"{x}.--" for x in WHOLE], WHOLE),
    "prices of Switzerland": ([f"CHF {x}.-" for x in WHOLE], WHOLE),
    "a minus behind": ([f"{abs(x)}-" if x < 0 else x for x in SIGNED], SIGNED),
    "a dash for a minus": ([f"–{abs(x)}" if x < 0 else x for x in SIGNED], SIGNED),
    "a currency before parentheses": ([f"$({-x})" if x < 0 else f"${x}" for x in SIGNED], SIGNED),
    "digits of Bengali": ([str(x).translate(BENGALI) for x in WHOLE], WHOLE),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings_of_numbers(name):
    cells, expected = SPELLINGS[name]
    column = read(table(cells, delimiter=";").encode()).columns[0]
    assert column.numbers.tolist() == expected


@pytest.mark.parametrize("first", [0, 40, 110])
def test_quotation_marks_after_a_backslash(first):
    notes = [f'he said \\"{n}\\", ok' if n >= first else f"note {n}, ok" for n in range(150)]
    lines = (f'"{note}",{n % 7},{ANSWERS[n % ROWS]}' for n, note in enumerate(notes))
    result = read("\n".join(["note,x,answer", *lines]).encode())
    assert result.names == ("note", "x", "answer")
    assert list(result.columns[0].cells) == [note.replace("\\", "") for note in notes]
    assert result.columns[1].numbers.tolist() == [n % 7 for n in range(150)]


HEADERS = {
    "merged cells": ("Person,,Result\nincome,age,buys", ("Person income", "Person age")),
    "a group in each cell": ("May,May,May\nlow,high,last", ("May low", "May high")),
    "units": ("t,t,\n[C],[F],[K]", ("t [C]", "t [F]")),
}


@pytest.mark.parametrize(("header", "names"), HEADERS.values(), ids=HEADERS)
def test_names_in_two_lines(header, names):
    lines = "\n".join(f"{3 * n % 47},{n % 7},{n % 5}" for n in range(ROWS))
    result = read(f"{header}\n{lines}".encode())
    assert (len(result), result.names[:2]) == (ROWS, names)
    assert "two lines" in result.warnings[0]


def test_lines_that_repeat_the_names_are_left_out():
    joined = f"{PLAIN}\n{PLAIN}\n{PLAIN}"
    result = read(joined.encode())
    assert result.columns[0].numbers.tolist() == AMOUNTS * 3
    assert result.lines.tolist()[ROWS] == ROWS + 3
    assert "2 lines repeat the names of the columns: left out." in result.warnings


MONTHS = [f"2020-{1 + n % 12:02d}-07" for n in range(ROWS)]
DATES = {
    "weeks": [f"2020-W{1 + n % 50:02d}" for n in range(ROWS)],
    "names of zones": [f"{day} 10:00:00 CET" for day in MONTHS],
}
SECONDS = {"weeks": 1_577_664_000.0, "names of zones": 1_578_391_200.0}  # Monday 2019-12-30


@pytest.mark.parametrize("name", DATES)
def test_dates(name):
    column = read(table(DATES[name]).encode()).columns[0]
    assert (column.type, column.numbers[0]) == ("date", SECONDS[name])


def test_a_column_of_numbers_with_several_words_for_a_missing_value():
    words = ["sin datos", "brak", "不明", "ei tietoa"]
    cells = [words[n // 5 % 4] if n % 5 == 0 else x for n, x in enumerate(AMOUNTS)]
    column = read(table(cells).encode()).columns[0]
    expected = [math.nan if n % 5 == 0 else x for n, x in enumerate(AMOUNTS)]
    assert column.numbers.tolist() == pytest.approx(expected, nan_ok=True)


SAID = {
    "signs": [f"{'$€'[n % 2]}{x}" for n, x in enumerate(AMOUNTS)],
    "codes": [f"{x} {'USD' if n % 2 else 'EUR'}" for n, x in enumerate(AMOUNTS)],
}


@pytest.mark.parametrize("cells", SAID.values(), ids=SAID)
def test_amounts_in_different_currencies_are_said(cells):
    warnings = wb.inspect_table(table(cells).encode()).warnings
    assert any("currencies" in text and cells[1] in text for text in warnings), warnings


REASONS = {
    "units": ([f"{x} kg" if n % 2 else f"{1000 * x:.0f} g" for n, x in enumerate(AMOUNTS)], "kg"),
    "errors": ([f"{x}±{n % 7}.5" for n, x in enumerate(AMOUNTS)], "0.25±0.5"),
    "bounds": ([f"<{x}" if n % 6 == 0 else x for n, x in enumerate(AMOUNTS)], "<0.25"),
}


@pytest.mark.parametrize(("cells", "text"), REASONS.values(), ids=REASONS)
def test_the_reason_why_numbers_are_not_used_is_true(cells, text):
    column = wb.inspect_table(table(cells).encode()).columns[0]
    assert not column.used
    assert text in column.note
    assert "separators" not in column.note


def test_a_program_is_no_table():
    with raises("upload.not_a_table", "SQL"):
        read(b"INSERT INTO t VALUES\n" + BODY.encode())


WORDS = {
    "koi8_r": ["Москва", "Казань", "да"],
    "cp866": ["Москва", "Казань", "да"],
    "cp1253": ["Αθήνα", "ναι", "όχι"],
    "cp1254": ["İstanbul", "Muğla", "Şişli"],
    "cp1255": ["ירושלים", "תל אביב", "חיפה"],
    "cp1256": ["نعم", "لا", "القاهرة"],
    "iso8859_2": ["Łódź", "Gdańsk", "Kraków"],
    "cp1252": ["Þórshöfn", "Ísafjörður", "Akureyri"],
}


@pytest.mark.parametrize("encoding", WORDS)
def test_few_words_show_the_encoding(encoding):
    words = WORDS[encoding]
    text = table([words[n % 3] for n in range(ROWS)])
    assert read(text.encode(encoding)).columns[0].words == tuple(sorted(words))


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
def test_columns_of_dates_of_one_form_are_read_like_single_dates(form):
    days = [datetime(1901, 1, 31, tzinfo=UTC) + timedelta(days=997.3 * n) for n in range(ROWS)]
    cells = ["" if n % 7 == 0 else day.strftime(form) for n, day in enumerate(days)]
    together, single = Cells(cells).simple, Cells([*cells, "1.2.1999"]).read(Format("date"))
    assert together[0] == Format("date")
    expected = [single.get(cell, math.nan) for cell in cells]
    assert together[1].tolist() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("cell", ["2021-02-29", "2021-01-01T24:00", "0000-01-01", "2021-1-011"])
def test_columns_with_impossible_dates_are_read_cell_by_cell(cell):
    assert Cells(["2020-02-29", cell]).simple is None


@pytest.mark.parametrize(
    ("cell", "text"), [("yes", "the same value in every row"), ("", "no value")]
)
def test_why_the_last_column_is_not_predicted(cell, text):
    lines = "\n".join(f"{n % 7},{n * 13 % 47},{cell}" for n in range(ROWS))
    inspection = wb.inspect_table(f"a,b,answer\n{lines}".encode())
    assert inspection.target.name == "b"
    assert any(f"“answer” has {text}" in warning for warning in inspection.warnings)


@pytest.mark.parametrize("words", [("true", "1", "no"), ("Ja", "yes", "nein"), ("是", "否", "0")])
def test_yes_and_no_in_several_spellings_are_said(words):
    warnings = wb.inspect_table(table([words[n % 3] for n in range(ROWS)]).encode()).warnings
    assert any("may mean the same" in warning for warning in warnings), warnings
    warnings = wb.inspect_table(table([words[2 * (n % 2)] for n in range(ROWS)]).encode()).warnings
    assert not any("may mean the same" in warning for warning in warnings)
