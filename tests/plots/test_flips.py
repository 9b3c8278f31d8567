"""The images that changed: the right ones, each with its label and both predictions."""

from __future__ import annotations

from html import unescape

import numpy as np
import plotly.graph_objects as go
import pytest

from workbench.plots import flips
from workbench.plots.palette import THEMES
from workbench.plots.sheet import LETTER, sheet_width

LABELS, BEFORE, AFTER = [0, 0, 1, 1, 2, 2], [0, 0, 1, 0, 0, 2], [1, 1, 2, 1, 1, 2]


@pytest.fixture
def found(changes):
    return changes(LABELS, BEFORE, AFTER)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("kind", "numbers"), [("lost", [0, 1, 2]), ("won", [3]), ("moved", [4])])
def test_the_images_of_a_kind_are_shown(found, images, kind, numbers, theme):
    figure = flips.draw(found, images, THEMES[theme], kind=kind, columns=2)
    go.Figure(figure)
    for place, (number, tile) in enumerate(zip(numbers, figure["data"], strict=True)):
        assert tile["z"] == images[number].tolist()
        assert flips.tile_at(tile["x0"], tile["y0"], 2) == place
        assert flips.tile_at(tile["x0"] + 27, tile["y0"] + 27, 2) == place
    assert len(figure["layout"]["annotations"]) == len(numbers)
    assert flips.visible_examples(found, kind, 0, 2) == numbers


def test_a_tile_says_label_and_both_predictions_with_a_mark_beside_the_colour(found, images):
    text = flips.draw(found, images, kind="lost")["layout"]["annotations"][2]["text"]
    label, before, after = text.split("<br>")
    assert "coat" in label
    assert "coat" in before
    assert "✓" in before
    assert "bag" in after
    assert "✗" in after


def test_the_finding(found, changes):
    assert flips.summary(found) == "3 images went wrong, mostly shirt; 1 became right"
    assert (
        flips.summary(changes([0], [0], [1])) == "1 image went wrong, mostly shirt; 0 became right"
    )
    assert flips.summary(changes([0], [1], [0])) == "0 images went wrong; 1 became right"
    assert flips.summary(changes([0], [1], [1])) == "No prediction changed"


def test_later_pages_and_none_at_all(found, images):
    assert flips.visible_examples(found, "lost", 2, 1) == [2]
    empty = flips.draw(found, images, kind="won", first=8)
    go.Figure(empty)
    assert [note["text"] for note in empty["layout"]["annotations"]] == ["There are none."]
    assert len(flips.rows(found)) == 5


def test_an_image_of_any_size_fills_its_tile(found):
    images = np.zeros((6, 20, 200), np.uint8)
    (tile, *_others) = flips.draw(found, images)["data"]
    assert len(tile["z"][0]) == 50
    assert tile["dx"] * 50 == pytest.approx(28)
    assert tile["y0"] > 10


def test_sounds_are_tiles_with_time_across(found):
    sounds = [np.full((5 + number, 12), number / 2, np.float32) for number in range(6)]
    figure = flips.draw(found, sounds, form="frames")
    go.Figure(figure)
    assert [len(tile["z"][0]) for tile in figure["data"]] == [5, 6, 7]
    assert all(len(tile["z"]) == 12 for tile in figure["data"])
    assert figure["layout"]["coloraxis"]["cmax"] == 1.0
    assert figure["layout"]["title"]["text"].startswith("3 recordings went wrong")


@pytest.mark.parametrize("columns", [3, 11])
def test_texts_are_a_list_that_says_what_became_of_each(found, columns):
    words = [("a", "<b>", "dress", ",", *["so", "soft"] * (20 * n)) for n in range(6)]
    figure = flips.draw(found, words, form="words", columns=columns)
    go.Figure(figure)
    assert figure["layout"]["title"]["text"].startswith("3 texts went wrong")
    (trace,) = figure["data"]
    assert "shirt" in trace["text"][0]
    assert "→ coat" in trace["text"][0]
    assert trace["text"][1] == "a &lt;b&gt; dress,"
    longest = max(len(unescape(text)) for text in trace["text"] if "<" not in text)
    assert longest * LETTER <= sheet_width(columns)
    for place, number in enumerate((0, 1, 2)):
        at = [y for y, text in zip(trace["y"], trace["text"], strict=True) if "→" in text][place]
        assert flips.tile_at(5, at, columns, "words") == place
        assert flips.visible_examples(found, "lost", 0, columns, "words")[place] == number


def test_examples_that_cannot_be_shown_are_listed_by_number(found):
    figure = flips.draw(found, [None] * 6, form="own")
    assert "example 2, counted from 0" in figure["data"][0]["text"]
    assert flips.draw(found, [None] * 6, form="own", first=9)["data"][0]["text"] == [
        "There are none."
    ]
