"""Views of a model that predicts a number of a table."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import workbench as wb
from workbench.panels.comparison.tab import views


@pytest.fixture
def prices(client):
    generator = np.random.default_rng(0)
    size = generator.uniform(30, 150, 150).round(1)
    table = {"size": size, "city": ["Rome", "Oslo"] * 75, "price": (3000 * size).round()}
    model = wb.from_table(table, name="prices", seconds=2)
    client.session.open(model.name, wb.Recipe(quantize=wb.Quantize(2)))
    client.wait_until_idle()
    client.act("tab", key="comparison", columns=8)
    return client


@pytest.mark.slow
def test_numbers_are_drawn_and_the_largest_changes_listed(prices):
    keys = [x.key for x in views(prices.session.model.task)]
    assert keys == ["numbers", "changed", "weights"]
    tab = prices.wait("tab", lambda tab: tab.get("figure"))
    assert len(tab["figure"]["data"]) == 3
    prices.act("focus", key="view", value="changed")
    tab = prices.wait("tab", lambda tab: tab["controls"][0]["value"] == "changed")
    texts = "".join(tab["figure"]["data"][0]["text"])
    assert "line " in texts
    assert "city " in texts
    assert "price " not in texts


@pytest.mark.slow
def test_the_rows_are_exported_with_their_cells(prices):
    prices.wait("tab", lambda tab: tab.get("figure"))
    prices.act("comparison_csv")
    prices.wait("file")
    rows = list(csv.DictReader(io.StringIO(prices.file()[2].decode())))
    assert {"line", "size", "city", "price", "before", "after"} <= set(rows[0])
    changes = [abs(float(row["change"])) for row in rows]
    assert changes == sorted(changes, reverse=True)
