"""Training progress for several metrics."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, Metric
from workbench.plots import course
from workbench.plots.palette import LIGHT

CUSTOM = Metric("custom", "whole", share=False)


@pytest.mark.parametrize(
    ("metric", "value", "steps", "summary"),
    [
        (ACCURACY, 0.5, 2, "Batch accuracy after 2 steps: 50.0\u202f%"),
        (ACCURACY, 0.5, 9, "Batch accuracy after 2 of 9 steps: 50.0\u202f%"),
        (BITS_PER_CHARACTER, 2.5, 2, "Batch bits per character after 2 steps: 2.500\u202fbits"),
        (
            BITS_PER_CHARACTER,
            2.5,
            9,
            "Batch bits per character after 2 of 9 steps: 2.500\u202fbits",
        ),
        (CUSTOM, float("nan"), 2, "Loss after 2 steps: 1.000"),
        (CUSTOM, float("nan"), 9, "Loss after 2 of 9 steps: 1.000"),
    ],
)
def test_the_title_summarizes_the_progress(metric, value, steps, summary):
    figure = course.draw([(1, 1.0, value), (2, 1.0, value)], steps, LIGHT, metric)
    go.Figure(figure)  # plotly rejects unknown properties
    assert figure["layout"]["title"]["text"] == summary
    names = [line["name"] for line in figure["data"]]
    assert names == [*([] if metric is CUSTOM else [f"batch {metric.name}"]), "loss"]
    assert figure["layout"]["yaxis"]["visible"] == (metric is not CUSTOM)
    assert figure["layout"]["yaxis"]["title"]["text"] == metric.name


def test_a_run_without_steps_has_a_figure():
    figure = course.draw([], 9, LIGHT, BITS_PER_CHARACTER)
    assert figure["layout"]["title"]["text"] == "Training starts"
