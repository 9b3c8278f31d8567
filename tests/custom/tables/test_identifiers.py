"""Row numbers without a name, and what is said of columns in which every cell differs."""

from __future__ import annotations

import random

import pytest

import workbench as wb
from workbench.custom.tables.read import read

ROWS = 80
ORDER = random.Random(0).sample(range(3 * ROWS), ROWS)
VALUES = [(37 * n) % 101 / 4 for n in range(ROWS)]
ANSWERS = ["yes" if n % 3 else "no" for n in range(ROWS)]


def as_file(first, name="", delimiter=","):
    lines = [[name, "x", "answer"]]
    lines += [[str(c), str(x), a] for c, x, a in zip(first, VALUES, ANSWERS, strict=True)]
    return "\n".join(map(delimiter.join, lines)).encode()


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_the_index_of_a_frame_in_any_order_is_not_used(delimiter):
    index, x = wb.inspect_table(as_file(ORDER, delimiter=delimiter)).columns
    assert (index.type, index.used, x.used) == ("identifier", False, True)
    assert "no name" in index.note


def test_the_index_of_r_in_any_order_is_not_used():
    lines = as_file(ORDER, delimiter=" ").decode().replace(" x answer", "x answer", 1)
    index, x = wb.inspect_table(lines.encode()).columns
    assert (index.used, x.used) == (False, True)


OTHERS = {
    "with a name": as_file(ORDER, "size"),
    "with a value twice": as_file([*ORDER[1:], ORDER[1]]),
    "with decimals": as_file([n / 8 for n in ORDER]),
    "without any names": as_file(ORDER).split(b"\n", 1)[1],
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_other_first_columns_are_used(content):
    assert all(column.used for column in wb.inspect_table(content).columns)


def test_an_index_may_be_left_out_by_choice():
    column = wb.inspect_table(as_file(ORDER), leave_out="column 1").columns[0]
    assert column.note == "left out by choice"


UNKNOWN = {
    "durations": [f"{n // 4}h {n % 60}min" for n in range(ROWS)],
    "fractions": [f"~{n}.5" for n in range(ROWS)],
    "months of Rome": [f"{1 + n % 28}-VI-{1900 + n}" for n in range(ROWS)],
}


@pytest.mark.parametrize("cells", UNKNOWN.values(), ids=UNKNOWN)
def test_values_of_an_unknown_spelling_are_named(cells):
    column = wb.inspect_table(as_file(cells, "x1")).columns[0]
    assert not column.used
    assert f"“{cells[0]}” is not read as a number or a date" in column.note


@pytest.mark.parametrize(
    "cells", [["n" * (n + 1) for n in range(ROWS)], [2**60 + 7 * n for n in range(ROWS)]]
)
def test_words_and_long_numbers_are_not_said_to_be_unread(cells):
    column = wb.inspect_table(as_file(cells, "x1")).columns[0]
    assert column.note == "it identifies rows: 100 % of its values differ".replace(" %", "\u202f%")
    assert read(as_file(cells, "x1")).columns[0].type == "identifier"
