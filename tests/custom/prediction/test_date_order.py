"""New rows whose dates have day and month in another order than the training rows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import workbench as wb
from tests.custom.prediction.conftest import as_csv, trained_on_table

DAYS = [dt.date(2023, 1, 1) + dt.timedelta(days=7 * n) for n in range(90)]


@pytest.fixture(scope="module")
def dated(folder):
    """A model of day-first dates, and the month of each."""
    rows = [[f"{d:%d/%m/%Y}", "summer" if 4 <= d.month <= 9 else "winter"] for d in DAYS]
    return trained_on_table(folder, "dated", as_csv(rows, ["day", "season"]), "season", 60)


def probabilities(trained, days, spelling):
    found = wb.predict(trained.path, {"day": [day.strftime(spelling) for day in days]})
    return found.probabilities, found.notes


def test_a_cell_that_contradicts_the_order_decides_for_the_column(dated):
    days = [dt.date(2024, 3, 4), dt.date(2024, 11, 2), dt.date(2024, 7, 25)]
    expected, notes = probabilities(dated, days, "%d/%m/%Y")
    assert notes == ()
    found, (note,) = probabilities(dated, days, "%m/%d/%Y")
    np.testing.assert_allclose(found, expected)
    assert "day: 1 cell" in note
    assert "month first" in note
    assert "“07/25/2024” is read as 2024-07-25" in note


def test_the_more_frequent_order_decides(dated):
    days = [dt.date(2024, 3, n) for n in (4, 20, 21)]
    expected, _notes = probabilities(dated, days, "%d/%m/%Y")
    cells = [*(f"{day:%d/%m/%Y}" for day in days), "03/22/2024"]
    found = wb.predict(dated.path, {"day": cells})
    np.testing.assert_allclose(found.probabilities[:3], expected, rtol=1e-5)
    (*_, note) = found.notes
    assert "“03/22/2024”" in note
    assert "not understood" in note


def test_the_order_of_the_training_is_said_where_the_cells_do_not_show_it(dated):
    days = [dt.date(2024, 4, 3), dt.date(2024, 5, 5)]
    found, (note,) = probabilities(dated, days, "%d/%m/%Y")
    assert "“03/04/2024” is read as 2024-04-03" in note
    assert "day first as in training" in note
    assert found.argmax(axis=1).tolist() == [0, 0]
    _found, notes = probabilities(dated, days, "%Y-%m-%d")
    assert notes == ()
    _found, notes = probabilities(dated, days[1:], "%d/%m/%Y")
    assert notes == ()
