"""What a network looks at: two maps on one scale, and both predictions with a mark."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from workbench.evaluation.attribution import Attribution, Look
from workbench.plots import attribution
from workbench.plots.palette import THEMES

CLASSES = ("shirt", "coat", "bag")


def seen(predicted, shares, largest):
    pixels = np.full((28, 28), -0.1, np.float32)
    pixels[3, 4] = largest
    return Look(predicted, shares, pixels, 1.0, 0.0)


def example(after):
    image = np.zeros((28, 28), np.uint8)
    before = seen(0, (0.7, 0.2, 0.1), 0.5)
    return Attribution("drawn", "validation", CLASSES, 7, image, 0, before, after)


@pytest.mark.parametrize("theme", THEMES)
def test_both_maps_have_one_scale_around_zero(theme):
    figure = attribution.draw(example(seen(1, (0.3, 0.6, 0.1), 2.0)), THEMES[theme])
    go.Figure(figure)
    _image, before, after = figure["data"]
    assert before["zmax"] == after["zmax"] == -after["zmin"] == 2.0
    assert before["colorscale"] == after["colorscale"]
    assert before["z"][3][4] == 0.5
    heads = [note["text"] for note in figure["layout"]["annotations"]]
    assert "shirt" in heads[0]
    assert "✓" in heads[1]
    assert "70.0\u202f%" in heads[1]
    assert "coat" in heads[2]
    assert "✗" in heads[2]
    said = "Taken for shirt before (70\u202f% sure), for coat after (60\u202f%)"
    assert figure["layout"]["title"]["text"] == said


def test_an_example_that_is_seen_the_same():
    found = example(seen(0, (0.6, 0.3, 0.1), 0.5))
    said = attribution.finding(found)
    assert said == "Taken for shirt before and after, 70\u202f% and 60\u202f% sure"
    rows = attribution.rows(found)
    assert len(rows) == 28 * 28
    assert rows[3 * 28 + 4]["after"] == 0.5


def test_maps_of_nothing_but_zeros():
    flat = Look(0, (1.0, 0.0, 0.0), np.zeros((28, 28), np.float32), 0.0, 0.0)
    go.Figure(attribution.draw(example(flat)))
