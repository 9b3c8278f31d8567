"""New rows whose numbers have other separators than the training rows."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.custom.prediction.conftest import as_csv, trained_on_table

AMOUNTS = [round(40 * 1.09**n, 2) for n in range(90)]
GERMAN = str.maketrans(",.", ".,")


def american(amount):
    return f"{amount:,.2f}"


def german(amount):
    return american(amount).translate(GERMAN)


@pytest.fixture(scope="module")
def priced(folder):
    """A model of amounts with decimal commas and points between thousands."""
    rows = [[german(x), "dear" if x > 1_500 else "cheap"] for x in AMOUNTS]
    content = as_csv(rows, ["amount", "kind"], ";")
    return trained_on_table(folder, "priced", content, "kind", 60)


NEW = [1.125, 1_234.5, 2_500.0, 37_500.25, 999.999, 5.0]


@pytest.fixture(scope="module")
def expected(priced):
    cells = [f"{x:,.3f}".translate(GERMAN) for x in NEW]
    return wb.predict(priced.path, {"amount": cells}).probabilities


NUMBERS = {
    "floats": {"amount": NEW},
    "floats and missing values": {"amount": [*NEW, None]},
    "floats and a word": {"amount": [*NEW, "12 approx"]},
    "float32": {"amount": np.array(NEW, np.float32)},
    "rows": [{"amount": x} for x in NEW],
}


@pytest.mark.parametrize("source", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_taken_as_they_are(priced, expected, source):
    found = wb.predict(priced.path, source)
    np.testing.assert_allclose(found.probabilities[: len(NEW)], expected, rtol=1e-4)
    assert not any("1.125" in note or "separator" in note for note in found.notes)


def test_the_cells_of_a_new_file_decide_for_their_column(priced, expected):
    cells = [f"{x:,.3f}" for x in NEW]
    found = wb.predict(priced.path, as_csv([[cell] for cell in cells], ["amount"], "\t"))
    np.testing.assert_allclose(found.probabilities, expected)
    (note,) = found.notes
    assert "decimal separator “.”" in note
    assert "“1,234.500” is read as 1,234.5" in note


def test_the_separators_of_the_training_stay_where_the_cells_do_not_show_them(priced):
    one, other = (wb.predict(priced.path, {"amount": [cell]}) for cell in ("1.500", "1500"))
    np.testing.assert_allclose(one.probabilities, other.probabilities)
    assert one.notes == other.notes == ()


def test_one_cell_of_other_separators_does_not_change_the_column(priced):
    cells = [*map(german, AMOUNTS[:20]), "1,234.50"]
    found = wb.predict(priced.path, {"amount": cells})
    usual = wb.predict(priced.path, {"amount": cells[:20]})
    np.testing.assert_allclose(found.probabilities[:20], usual.probabilities)
    assert any("1 cell is not understood" in note for note in found.notes)


def test_true_values_may_have_other_separators_too(numbers):
    rows = [["Rome", "fine", "-40", german(50_000.0 + 10 * n)] for n in range(8)]
    columns = ["city", "note", "=age", "income"]
    found = wb.predict(numbers.path, as_csv(rows, columns, ";"))
    assert found.labels.tolist() == pytest.approx([50_000.0 + 10 * n for n in range(8)])
