"""The picture of accuracy and time: labels of points that are close do not overlap."""

from __future__ import annotations

from types import SimpleNamespace

import plotly.graph_objects as go

from workbench.domain.metric import ACCURACY
from workbench.plots import latency


def timing(runtime, batch, milliseconds):
    return SimpleNamespace(
        runtime=runtime, precision="float32", threads=1, batch=batch, minimum=batch * milliseconds
    )


def test_close_points_have_one_label():
    times = [("a", 1, 0.1), ("a", 64, 0.2), ("b", 1, 0.1), ("b", 64, 0.9)]
    times += [("c", 1, 0.202), ("c", 64, 1.0)]  # below, since that of a is above
    times += [("d", 1, 0.201), ("d", 64, 0.4)]  # the page shows it if it is wide enough
    result = SimpleNamespace(timings=[timing(*values) for values in times], busy=False)
    scores = {(name, "float32"): (name, 0.9) for name in "abcd"}
    figure = latency.draw(result, scores, ACCURACY)
    go.Figure(figure)  # plotly rejects unknown properties
    assert [points["text"] for points in figure["data"]] == [
        *[["1", "64"]] * 3,
        ["", "64"],
    ]
    assert figure["data"][2]["textposition"] == ["bottom center", "top center"]
    assert all(
        [data["label"] for data in points["customdata"]] == ["1", "64"] for points in figure["data"]
    )


def test_an_axis_has_few_ticks_but_two_at_least_and_all_points():
    def axis_of(last, first=0.01):
        timings = [timing("a", 1, first), timing("b", 1, last)]
        result = SimpleNamespace(timings=timings, busy=False)
        scores = {(name, "float32"): (name, 0.9) for name in "ab"}
        axis = latency.draw(result, scores, ACCURACY)["layout"]["xaxis"]
        low, high = (10**power for power in axis["range"])
        assert low < first <= last < high
        ticks = zip(axis["ticktext"], axis["tickvals"], strict=True)
        return [text for text, at in ticks if low < at < high]

    assert axis_of(0.1) == ["0.01", "0.02", "0.05", "0.1"]
    assert axis_of(10.0) == ["0.01", "0.1", "1", "10"]
    assert axis_of(0.6, first=0.03) == ["0.05", "0.1", "0.2", "0.5"]  # a single power of ten
    assert axis_of(0.01) == ["0.005", "0.01", "0.02"]
