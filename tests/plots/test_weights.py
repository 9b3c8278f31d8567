"""A layer's histogram: the bars contain every nonzero weight, the legend the zeros."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from workbench.analysis.histogram import Histogram
from workbench.plots import weights
from workbench.plots.palette import THEMES

EDGES = np.array([-1.0, -0.5, 0.5, 1.0])


def make_histogram(after, zeros, distinct):
    rows = np.array([10, 980, 10]), np.array(after)
    return Histogram("drawn", "fc1.weight", EDGES, *rows, (0, zeros), (1000, distinct), 1000)


@pytest.mark.parametrize("theme", THEMES)
def test_bars_and_zeros_contain_every_weight(theme):
    result = make_histogram([10, 0, 90], 900, 2)
    figure = weights.draw(result, THEMES[theme])
    go.Figure(figure)
    before, after = figure["data"]
    assert sum(filter(None, before["y"])) == 1000
    assert sum(filter(None, after["y"])) + 900 == 1000
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert after["name"] == "after, 900 zeros"
    title = figure["layout"]["title"]["text"]
    assert title == "fc1.weight: 900 of 1,000 weights are zero, 2 other distinct values"
    rows = weights.rows(result)
    assert rows[0] == {"from": 0.0, "to": 0.0, "before": 0, "after": 900}
    assert sum(row["after"] for row in rows) == sum(row["before"] for row in rows) == 1000


def test_an_unchanged_layer_and_one_of_zeros():
    assert weights.summary(make_histogram([10, 980, 10], 0, 1000)).startswith(
        "fc1.weight: unchanged"
    )
    go.Figure(weights.draw(make_histogram([0, 0, 0], 1000, 0)))
