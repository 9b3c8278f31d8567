"""The ledger as a treemap: the areas sum to the file, layer by layer."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from workbench.artifact.ledger import Ledger, LedgerRow
from workbench.plots import treemap
from workbench.plots.palette import THEMES

ROWS = (
    LedgerRow("conv1.weight", (20, 1, 5, 5), "dense, 4 bits", 250, 0, 80, 0, 0),
    LedgerRow("fc1.weight", (500, 800), "bitmap, 4 bits", 20_000, 50_000, 2_000, 30, 0),
    LedgerRow("steps", (), "dense, i64", 0, 0, 0, 0, 0),
)
FILE = Ledger(ROWS, 900, 40)


@pytest.mark.parametrize("theme", THEMES)
def test_tiles_sum_to_the_file(theme):
    figure = treemap.draw(FILE, THEMES[theme])
    go.Figure(figure)
    tiles = figure["data"][0]
    sizes = dict(zip(tiles["ids"], tiles["values"], strict=True))
    total = FILE.total
    assert sizes["file"] == total == 940 + sum(row.total for row in ROWS)
    assert sizes["preprocessing"] == 40
    children = {}
    for name, parent in zip(tiles["ids"], tiles["parents"], strict=True):
        children[parent] = children.get(parent, 0) + sizes[name]
    assert children["file"] == total
    for row in ROWS[:2]:
        assert children[row.name] == sizes[row.name] == row.total
    assert "steps" not in sizes
    assert figure["layout"]["title"]["text"].startswith("fc1.weight takes")


def test_a_file_without_tensors():
    go.Figure(treemap.draw(Ledger((), 900)))
