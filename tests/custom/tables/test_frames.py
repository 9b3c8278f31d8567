"""Numbers of a frame are numbers: their points separate no thousands."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from workbench.custom.tables.read import read

ROWS = 60
ANSWERS = ["yes" if n % 3 else "no" for n in range(ROWS)]
VALUES = {
    "three decimals next to whole numbers": [1.125, 2.375, 3.0, 5.0, 7.625, 250.0],
    "float32": [np.float32(1.125), np.float32(3.0), np.float32(2.375)],
    "decimals": [Decimal("1.125"), Decimal(3), Decimal("-2.375")],
    "very large and very small": [1.5e-9, 2.125e80, 4.0],
    "durations": [timedelta(seconds=1.125), timedelta(hours=3), timedelta(0)],
    "integers": [1, 3, 7],
}
FIRST = next(iter(VALUES))
NOT_FINITE = [float("inf"), 1.0, 2.0, 1e300]


def seconds_or_number(value):
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("missing", [None, float("nan")], ids=["None", "NaN"])
def test_numbers_keep_their_values(values, missing):
    cells = [missing if n % 7 == 6 else values[n % len(values)] for n in range(ROWS)]
    column = read({"x": cells, "answer": ANSWERS}).columns[0]
    expected = [np.nan if n % 7 == 6 else seconds_or_number(cells[n]) for n in range(ROWS)]
    assert column.type == "number"
    np.testing.assert_array_equal(column.numbers, expected)


@pytest.mark.parametrize("word", ["12 approx", "1,5", "-"])
def test_a_word_among_numbers_changes_no_value(word):
    cells = [word if n == 4 else VALUES[FIRST][n % 6] for n in range(ROWS)]
    column = read({"x": cells, "answer": ANSWERS}).columns[0]
    expected = [np.nan if n == 4 else cells[n] for n in range(ROWS)]
    np.testing.assert_array_equal(column.numbers, expected)


def test_numbers_among_words_are_a_category():
    cells = [(1.125, "high", "low", "mid")[n % 4] for n in range(ROWS)]
    assert read({"x": cells, "answer": ANSWERS}).columns[0].type == "category"


def test_numbers_that_are_not_finite_are_missing_and_said():
    column = read({"x": NOT_FINITE * (ROWS // 4), "answer": ANSWERS}).columns[0]
    np.testing.assert_array_equal(column.numbers[:4], [np.nan, 1, 2, np.nan])
    assert (column.unreadable, column.examples[0].text) == (ROWS // 2, "inf")


OTHER_TYPES = {
    "truth values": ([True, False, True], "category"),
    "codes": ([20200131, 20200229, 20201231], "date"),
    "texts that look like numbers": (["1.125", "2.375", "3"] * 2, "number"),
}


@pytest.mark.parametrize("name", OTHER_TYPES)
def test_what_is_no_number_is_read_as_in_a_file(name):
    values, expected = OTHER_TYPES[name]
    cells = [values[n % len(values)] for n in range(ROWS)]
    lines = "\n".join(f"{x};{a}" for x, a in zip(cells, ANSWERS, strict=True))
    column = read({"x": cells, "answer": ANSWERS}).columns[0]
    in_file = read(f"x;answer\n{lines}".encode()).columns[0]
    assert (column.type, column.format) == (expected, in_file.format)
