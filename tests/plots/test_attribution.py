"""Attribution figures: two maps on one scale, and both predictions with a mark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from workbench.analysis.attribution import Attribution, Explanation
from workbench.plots import attribution, sentences
from workbench.plots.palette import THEMES
from workbench.plots.sheet import sheet_width

CLASSES = ("shirt", "coat", "bag")


def explanation(predicted, probabilities, largest):
    pixels = np.full((28, 28), -0.1, np.float32)
    pixels[3, 4] = largest
    return Explanation(predicted, probabilities, pixels, 1.0, 0.0)


def example(after):
    image = np.zeros((28, 28), np.uint8)
    before = explanation(0, (0.7, 0.2, 0.1), 0.5)
    return Attribution("drawn", "validation", CLASSES, 7, image, 0, before, after)


@pytest.mark.parametrize("theme", THEMES)
def test_both_maps_have_one_scale_around_zero(theme):
    figure = attribution.draw(example(explanation(1, (0.3, 0.6, 0.1), 2.0)), THEMES[theme])
    go.Figure(figure)
    _image, before, after = figure["data"]
    assert before["zmax"] == after["zmax"] == -after["zmin"] == 2.0
    assert before["colorscale"] == after["colorscale"]
    assert before["z"][3][4] == 0.5
    headings = [note["text"] for note in figure["layout"]["annotations"]]
    assert "shirt" in headings[0]
    assert "✓" in headings[1]
    assert "70.0\u202f%" in headings[1]
    assert "coat" in headings[2]
    assert "✗" in headings[2]
    title = "Predicted shirt before (70\u202f%), coat after (60\u202f%)"
    assert figure["layout"]["title"]["text"] == title


def test_an_unchanged_prediction():
    result = example(explanation(0, (0.6, 0.3, 0.1), 0.5))
    text = attribution.summary(result)
    assert text == "Predicted shirt before (70\u202f%) and after (60\u202f%)"
    rows = attribution.rows(result)
    assert len(rows) == 28 * 28
    assert rows[3 * 28 + 4]["after"] == 0.5


def test_maps_of_zeros():
    flat = Explanation(0, (1.0, 0.0, 0.0), np.zeros((28, 28), np.float32), 0.0, 0.0)
    go.Figure(attribution.draw(example(flat)))


WORDS = ("i", "love", "this", "(", "soft", ")", "dress", ",", "but", "<", "the", "zipper", "broke")


def text_example(after):
    before = Explanation(
        0, (0.7, 0.2, 0.1), np.linspace(-1, 1, len(WORDS), dtype=np.float32), 0.0, 0.0
    )
    return Attribution("drawn", "validation", CLASSES, 7, WORDS, 0, before, after, "words")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("columns", [2, 3, 12])
def test_words_are_colored_by_sign_and_strength_and_fit_the_width(theme, columns):
    after = Explanation(1, (0.3, 0.6, 0.1), np.zeros(len(WORDS), np.float32), 0.0, 0.0)
    figure = attribution.draw(text_example(after), THEMES[theme], columns=columns)
    go.Figure(figure)
    before, _after, labels = figure["data"]
    assert before["text"][-1] == "<b>broke</b>"
    assert before["text"][9] == "&lt;"
    for x, word in zip(before["x"], WORDS, strict=True):
        assert sentences.CELL * len(word) / 2 <= x <= sheet_width(columns)
        assert x + sentences.CELL * len(word) / 2 <= sheet_width(columns)
    assert "✓" in labels["text"][0]
    assert "✗" in labels["text"][1]
    fills = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    rules = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    strongest = max(fills, key=lambda shape: shape["opacity"])["opacity"]
    assert fills[0]["opacity"] == fills[-1]["opacity"] == strongest
    assert fills[0]["fillcolor"] != fills[-1]["fillcolor"]
    assert {rule["line"]["color"] for rule in rules} == {
        fills[0]["fillcolor"],
        fills[-1]["fillcolor"],
    }
    assert [row["word"] for row in attribution.rows(text_example(after))] == list(WORDS)


def test_punctuation_is_placed_as_in_writing():
    places, lines = sentences.place_words(WORDS, 12)
    assert places[3:6] == [(12 - 12, 1), (1, 1), (5, 1)]
    assert lines > 2
    assert all(cell + len(word) <= 12 for word, (cell, _line) in zip(WORDS, places, strict=True))


@pytest.mark.parametrize("columns", [3, 12])
def test_a_sound_has_time_across_and_coefficients_up(columns):
    frames = np.arange(15 * 12, dtype=np.float32).reshape(15, 12)
    look = Explanation(0, (0.7, 0.2, 0.1), frames / 100, 1.0, 0.0)
    result = Attribution("drawn", "validation", CLASSES, 7, frames, 0, look, look, "frames")
    figure = attribution.draw(result, columns=columns)
    go.Figure(figure)
    for panel in figure["data"]:
        assert len(panel["z"]) == 12
        assert len(panel["z"][0]) == 15
    rows = attribution.rows(result)
    assert rows[13] == {
        "frame": 1,
        "coefficient": 1,
        "value": 13.0,
        "before": pytest.approx(0.13),
        "after": pytest.approx(0.13),
    }


def test_the_title_says_if_the_input_no_longer_matters():
    seen = example(explanation(0, (0.7, 0.2, 0.1), 0.5))
    unseen = replace(seen, after=replace(seen.after, attributions=np.zeros((28, 28), np.float32)))
    assert "hardly matters" not in attribution.summary(seen)
    assert attribution.summary(unseen).endswith("; after compression, the input hardly matters")
