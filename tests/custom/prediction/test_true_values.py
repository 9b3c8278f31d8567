"""True values next to new rows: other spellings of a class, and values that are no class."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.custom.prediction.conftest import HEADER, as_csv, buyers, trained_on_table


@pytest.mark.parametrize("spell", [str.capitalize, str.upper, lambda word: f" {word}  "])
def test_spellings_of_a_class_are_the_same_class(classes, spell):
    rows = buyers(60, seed=4)
    spelled = [[*row[:-1], spell(row[-1]) if n % 2 else row[-1]] for n, row in enumerate(rows)]
    expected, found = (wb.predict(classes.path, as_csv(r)) for r in (rows, spelled))
    assert found.figures == expected.figures
    assert found.figures["examples"] == 60
    assert found.notes == ()


def test_true_values_that_are_no_class_are_counted_and_named(classes):
    rows = buyers(60, seed=4)
    for row in rows[10:13]:
        row[-1] = "perhaps"
    rows[20][-1] = ""
    found = wb.predict(classes.path, as_csv(rows))
    assert found.figures["examples"] == 56
    (note,) = found.notes
    assert "buys: 3 true values" in note
    assert "“perhaps”" in note
    assert f"line {found.sources[10]}." in note


def test_true_numbers_that_are_not_understood_are_named(numbers):
    rows = buyers(30, seed=4)
    rows[3][HEADER.index("income")] = "much"
    found = wb.predict(numbers.path, as_csv(rows))
    assert "income: 1 cell is not understood" in found.notes[0]
    assert "“much”" in found.notes[0]


def test_numbers_as_classes_name_other_values(folder):
    table = [[n % 40, (n % 40) // 20] for n in range(80)]
    trained = trained_on_table(folder, "digits", as_csv(table, ["x", "y"]), "y", 20)
    found = wb.predict(trained.path, {"x": [1, 2, 30, 4, 5], "y": ["0", "7", "1.0", "often", ""]})
    assert found.figures["examples"] == 2
    (note,) = found.notes
    assert "2 true values" in note
    assert "“7”, “often”" in note
    assert "line 3" in note
