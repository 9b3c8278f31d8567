"""Any number and any date is read from any of its spellings; any bytes are a table or an error."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

import workbench as wb
from workbench.custom.tables import dates, numbers
from workbench.custom.tables.column import Format

CONVENTIONS = st.sampled_from(numbers.CONVENTIONS)
VALUES = st.decimals(-(10**9), 10**9, places=2)
SPELLINGS = (
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M",
    "%d %B %Y %H:%M",
    "%b %d, %Y %I:%M %p",
)


def spelled(value, decimal, thousands):
    text = f"{value:,.2f}".replace(",", "T").replace(".", decimal)
    return text.replace("T", thousands)


@given(VALUES, CONVENTIONS)
def test_numbers(value, convention):
    reading = Format("number", *convention)
    assert numbers.parse([spelled(value, *convention)], reading) == [float(value)]
    assert numbers.parse([f"  {value} items of 5"], reading) != [float(value)]


@pytest.mark.slow
@given(st.lists(VALUES, min_size=30, max_size=60), CONVENTIONS)
def test_the_convention_of_a_column_is_found(values, convention):
    cells = dict.fromkeys([spelled(value, *convention) for value in values], 1)
    best = numbers.guess(cells, ";")
    expected = [float(value) for value in dict.fromkeys(values)]
    assert numbers.parse([*cells], best.format)[: len(expected)] == expected


@given(st.integers(0, 200 * 366 * 24 * 60), st.sampled_from(SPELLINGS))
def test_dates(minutes, spelling):
    moment = datetime(1900, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    parts = dates.read(moment.strftime(spelling))
    reading = Format("date", day_first="." in spelling)
    assert dates.seconds(parts, reading) == moment.timestamp()


@pytest.mark.slow
@given(st.text(max_size=30))
def test_any_text_is_a_cell(text):
    (value,) = numbers.parse([text], Format("number"))
    assert isinstance(value, float)
    dates.read(text)


@pytest.mark.parametrize("seed", range(40))
def test_any_bytes_are_a_table_or_one_error(seed):
    rng = random.Random(seed)
    rows = [f"{n};{n * 7 % 31}.5;{rng.choice(['a', 'é', 'b c'])};{n % 2}" for n in range(70)]
    data = bytearray("\n".join(["a;b;c;y", *rows]).encode(rng.choice(["utf-8", "cp1252"])))
    for _ in range(rng.choice([1, 5, 50])):
        position = rng.randrange(len(data))
        data[position] = rng.choice(b"\"\n\r,;\t\0\xff\x80' ")
        data[position:position] = rng.choice([b'"', b"\n\n", b";;", b"\xe4", b"sep=,\n", b"#"])
    result = sentence = None
    try:
        result = wb.inspect_table(bytes(data), header=rng.choice([None, True, False]))
    except wb.WorkbenchError as error:
        sentence = str(error)
    assert (result is None) != (sentence is None)
    assert "\n" not in (sentence or "")
    assert result is None or 0 < result.rows_used <= result.rows_read
