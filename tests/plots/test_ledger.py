"""The ledger figure contains every byte of the file once."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from workbench.artifact.ledger import Ledger, LedgerRow
from workbench.plots import ledger
from workbench.plots.palette import THEMES

ROWS = (
    LedgerRow("conv1.weight", (20, 1, 5, 5), "dense, 4 bits", 250, 0, 80, 0, 0),
    LedgerRow("fc1.weight", (500, 800), "bitmap, 4 bits", 20_000, 50_000, 2_000, 30, 0),
    LedgerRow("fc1.bias", (500,), "dense, f32", 0, 0, 0, 0, 2_000),
)
FILE = Ledger(ROWS, 900, 40)
EMPTY = Ledger((), 900)


@pytest.mark.parametrize("theme", THEMES)
def test_bars_sum_to_the_file(theme):
    figure = ledger.draw(FILE, THEMES[theme])
    go.Figure(figure)
    assert sum(sum(bars["x"]) for bars in figure["data"]) == FILE.total
    assert (
        figure["layout"]["title"]["text"] == "fc1.weight takes 96\u202f% of the 75,300\u202fbytes"
    )


def test_kinds_differ_in_their_pattern():
    figure = ledger.draw(FILE, THEMES["light"])
    shapes = [bars["marker"]["pattern"]["shape"] for bars in figure["data"]]
    assert len(shapes) == len(set(shapes)) == 7


def test_many_tensors_share_a_bar_and_long_names_are_shortened():
    rows = [
        replace(ROWS[0], name=f"blocks.{n}.attention.inputs.weight", values=n) for n in range(9)
    ]
    used = Ledger(tuple(rows), 900)
    figure = ledger.draw(used, THEMES["light"])
    go.Figure(figure)
    assert sum(sum(bars["x"]) for bars in figure["data"]) == used.total
    assert len(set(figure["data"][0]["y"])) == 8
    names = [f"blocks.{n}…ts.weight" for n in range(2, 9)]
    assert figure["layout"]["yaxis"]["ticktext"] == [*names, "2 others", "header"]
    assert "blocks.8.attention.inputs.weight<br>" in figure["data"][0]["customdata"][-2]


def test_a_file_without_tensors():
    go.Figure(ledger.draw(EMPTY, THEMES["light"]))


def test_the_table():
    rows = ledger.rows(FILE)
    assert rows[-2] == {
        "tensor": "container",
        "values": 0,
        "indices": 0,
        "scales": 0,
        "tables": 0,
        "uncompressed": 0,
        "total": 900,
    }
    assert sum(row["total"] for row in rows) == FILE.total
    assert (rows[-1]["tensor"], rows[-1]["total"]) == ("preprocessing", 40)
    assert ledger.rows(EMPTY)[-1]["tensor"] == "container"
