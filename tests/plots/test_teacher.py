"""A teacher's softened probabilities, with the label marked."""

from __future__ import annotations

import math

import plotly.graph_objects as go
import pytest

from workbench.plots import teacher
from workbench.plots.palette import LIGHT, THEMES

CLASSES = ("shirt", "coat", "bag")


@pytest.mark.parametrize("theme", THEMES)
def test_softened_probabilities_mark_the_label(theme):
    figure = teacher.draw([4.0, 2.0, 0.0], CLASSES, 1, 2.0, THEMES[theme])
    go.Figure(figure)
    bars = figure["data"][0]
    total = math.e**2 + math.e + 1
    assert bars["x"] == pytest.approx([math.e**2 / total, math.e / total, 1 / total])
    assert bars["y"] == ["shirt", "coat (label)", "bag"]
    assert bars["marker"]["color"][1] == THEMES[theme].accent
    title = figure["layout"]["title"]["text"]
    assert title == "At temperature 2: shirt 67\u202f%, and coat 24\u202f%"


def test_a_high_temperature_flattens_and_a_low_one_sharpens():
    assert teacher.soften([900.0, 0.0], 1e9) == pytest.approx([0.5, 0.5])
    assert teacher.soften([900.0, 0.0], 0.1) == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("label", [3, 700])
def test_of_many_classes_the_most_probable_and_the_label_are_drawn(label):
    outputs = [0.0] * 1000
    outputs[3:6] = [9.0, 8.0, 7.0]
    figure = teacher.draw(outputs, [f"c{n}" for n in range(1000)], label, 1.0, LIGHT)
    names = figure["data"][0]["y"]
    assert f"c{label} (label)" in names
    assert {"c4", "c5"} <= {*names}
    assert len(names) == teacher.MAX_BARS + (label == 700)
    assert figure["data"][0]["x"] == [
        pytest.approx(teacher.soften(outputs, 1.0)[int(name[1:].split()[0])]) for name in names
    ]
