"""A layer's weights: bars that hold every weight but the zeros, which are said."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from workbench.analysis.histogram import Histogram
from workbench.plots import weights
from workbench.plots.palette import THEMES

EDGES = np.array([-1.0, -0.5, 0.5, 1.0])


def counted(after, zeros, distinct):
    rows = np.array([10, 980, 10]), np.array(after)
    return Histogram("drawn", "fc1.weight", EDGES, *rows, (0, zeros), (1000, distinct), 1000)


@pytest.mark.parametrize("theme", THEMES)
def test_bars_and_zeros_hold_every_weight(theme):
    found = counted([10, 0, 90], 900, 2)
    figure = weights.draw(found, THEMES[theme])
    go.Figure(figure)
    before, after = figure["data"]
    assert sum(filter(None, before["y"])) == 1000
    assert sum(filter(None, after["y"])) + 900 == 1000
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert after["name"] == "after, 900 zeros"
    said = figure["layout"]["title"]["text"]
    assert said == "fc1.weight: 900 of 1,000 weights are zero, 2 other values are left"
    rows = weights.rows(found)
    assert rows[0] == {"from": 0.0, "to": 0.0, "before": 0, "after": 900}
    assert sum(row["after"] for row in rows) == sum(row["before"] for row in rows) == 1000


def test_an_untouched_layer_and_one_of_zeros():
    assert weights.summary(counted([10, 980, 10], 0, 1000)).startswith("fc1.weight: as it was")
    go.Figure(weights.draw(counted([0, 0, 0], 1000, 0)))
