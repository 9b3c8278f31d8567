"""docs/format.md says how a table becomes the inputs of a network."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import pytest

from tests.custom.tables import reader
from workbench.custom.tables.column import Format
from workbench.custom.tables.features.categories import CategoryFeatures
from workbench.custom.tables.features.dates import DateFeatures
from workbench.custom.tables.features.numbers import NumberFeatures
from workbench.custom.tables.features.texts import TextFeatures
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.prepare import prepare
from workbench.custom.tables.preprocessing import ColumnFeatures, Preprocessing
from workbench.custom.tables.read import read
from workbench.custom.tables.target_encoding import Target

PAGE = (Path(__file__).parents[3] / "docs" / "format.md").read_text("utf-8")
TABLES = {
    "field of a column": ColumnFeatures,
    "field of a format": Format,
    "field of a number": NumberFeatures,
    "field of a category": CategoryFeatures,
    "field of a date": DateFeatures,
    "field of a text": TextFeatures,
    "field of the target": Target,
}
ROWS = 240
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("title", TABLES)
def test_the_page_lists_every_field(title):
    rows = re.search(rf"^\| {title} \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)[1]
    defaults = {}
    for row in rows.splitlines():
        _start, names, _value, default, _end = row.split("|")
        defaults |= dict.fromkeys(re.findall("`([^`]+)`", names), default.strip())
    assert {*defaults} == {field.name for field in fields(TABLES[title])}
    for field in fields(TABLES[title]):
        assert bool(defaults[field.name]) == (field.default is not MISSING), field.name


def cells():
    """Return the cells of each column, with missing values, long tails and many kinds of dates."""
    sizes = np.exp(3 * RNG.normal(size=ROWS))
    seconds = RNG.integers(0, 6 * 365 * 86400, ROWS).astype("timedelta64[s]")
    moments = np.datetime64("2017-03-01T00:00:00") + seconds
    words = ["good", "bad", "film", "don't", "plot", "!", "映画"]
    return {
        "age": [f"{value:.2f}" for value in RNG.normal(40, 10, ROWS)],
        "size": [f"{value:.3f}" for value in sizes],
        "few": [str(n % 3) for n in range(ROWS)],
        "rare": [str(n) if n % 3 == 0 else "" for n in range(ROWS)],
        "city": [("Oslo", "oslo ", "Paris", "", "Straße")[n % 5] for n in range(ROWS)],
        "code": [f"c{RNG.integers(40) ** 2 // 40}" for _ in range(ROWS)],
        "seen": ["" if n % 11 == 0 else str(moments[n]) for n in range(ROWS)],
        "review": ["" if n % 9 == 0 else " ".join(RNG.choice(words, 6)) for n in range(ROWS)],
        "price": [str(value) for value in RNG.integers(100, 10_000, ROWS)],
    }


@pytest.mark.slow
def test_a_reader_of_the_page_computes_the_same_inputs():
    table = read(cells(), Choices(target="price"))
    preprocessing = prepare(table, Choices(target="price")).preprocessing
    expected = preprocessing.transform(table)
    types = {column.features.__class__ for column in preprocessing.columns}
    assert types == {NumberFeatures, CategoryFeatures, DateFeatures, TextFeatures}
    assert any(getattr(column.features, "width", 0) for column in preprocessing.columns)
    data = Preprocessing.as_dict(preprocessing)
    rows = [{column.name: value_of(column, row) for column in table.columns} for row in range(ROWS)]
    actual = np.array([reader.inputs(data, row) for row in rows], np.float32)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def value_of(column, row):
    if not column.present[row]:
        return None
    return column.cells[row] if column.numbers is None else float(column.numbers[row])
