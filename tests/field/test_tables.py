"""Tables as programs and countries write them are read with the values that were written."""

from __future__ import annotations

import numpy as np
import pytest

from tests.field.tables import combinations, make
from workbench.custom.tables.read import read

COMBINATIONS = combinations()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(COMBINATIONS)))
def test_values_are_those_that_were_written(number):
    made = make(number, *COMBINATIONS[number])
    table = read(made.data)
    columns = {column.name: column for column in table.columns}
    assert set(columns) == {*made.numbers, *made.words, *made.dates}
    for name, values in made.numbers.items():
        assert columns[name].type == "number", name
        np.testing.assert_array_equal(columns[name].numbers, values, name)
    for name, values in made.dates.items():
        assert columns[name].type == "date", name
        np.testing.assert_allclose(columns[name].numbers, values, atol=1e-3, err_msg=name)
    for name, values in made.words.items():
        column = columns[name]
        words = [None if code < 0 else column.words[code] for code in column.codes]
        assert (column.type, words) == ("category", values)
    assert table.lines.tolist() == made.lines
    assert table.delimiter == made.delimiter
    assert table.header == (made.header != "none")
