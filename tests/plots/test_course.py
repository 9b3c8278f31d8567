"""The course of a training, by whatever the task is measured by."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, Metric
from workbench.plots import course
from workbench.plots.palette import LIGHT

OWN = Metric("own", "whole", share=False)


@pytest.mark.parametrize(
    ("metric", "value", "steps", "summary"),
    [
        (ACCURACY, 0.5, 2, "2 steps brought the batches to 50.0\u202f%"),
        (ACCURACY, 0.5, 9, "After 2 of 9 steps the batches are 50.0\u202f% right"),
        (BITS_PER_CHARACTER, 2.5, 2, "2 steps brought the batches to 2.500\u202fbits"),
        (BITS_PER_CHARACTER, 2.5, 9, "After 2 of 9 steps the batches are at 2.500\u202fbits"),
        (OWN, float("nan"), 2, "2 steps brought the loss to 1.000"),
        (OWN, float("nan"), 9, "After 2 of 9 steps the loss is 1.000"),
    ],
)
def test_the_title_says_how_far_it_is(metric, value, steps, summary):
    figure = course.draw([(1, 1.0, value), (2, 1.0, value)], steps, LIGHT, metric)
    go.Figure(figure)  # plotly refuses what it does not know
    assert figure["layout"]["title"]["text"] == summary
    names = [line["name"] for line in figure["data"]]
    assert names == [*([] if metric is OWN else [f"{metric.name} of the batches"]), "loss"]
    assert figure["layout"]["yaxis"]["visible"] == (metric is not OWN)
    assert figure["layout"]["yaxis"]["title"]["text"] == metric.name


def test_nothing_yet_is_a_picture_too():
    figure = course.draw([], 9, LIGHT, BITS_PER_CHARACTER)
    assert figure["layout"]["title"]["text"] == "Training begins"
