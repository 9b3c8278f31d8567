"""Examples with changed predictions, each with its label and both predictions."""

from __future__ import annotations

from html import unescape

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.raises import raises
from workbench.plots import flips
from workbench.plots.palette import THEMES
from workbench.plots.sheet import LETTER, sheet_width

LABELS, BEFORE, AFTER = [0, 0, 1, 1, 2, 2], [0, 0, 1, 0, 0, 2], [1, 1, 2, 1, 1, 2]


@pytest.fixture
def comparison(compare):
    return compare(LABELS, BEFORE, AFTER)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("kind", "numbers"), [("became_wrong", [0, 1, 2]), ("became_right", [3]), ("stayed_wrong", [4])]
)
def test_the_images_of_a_kind_are_shown(comparison, images, kind, numbers, theme):
    figure = flips.draw(comparison, images, THEMES[theme], kind=kind, columns=2)
    go.Figure(figure)
    for place, (number, tile) in enumerate(zip(numbers, figure["data"], strict=True)):
        assert tile["z"] == images[number].tolist()
        assert flips.tile_at(tile["x0"], tile["y0"], 2) == place
        assert flips.tile_at(tile["x0"] + 27, tile["y0"] + 27, 2) == place
    assert len(figure["layout"]["annotations"]) == len(numbers)
    assert flips.visible_examples(comparison, kind, 0, 2) == numbers


def test_a_tile_has_the_label_and_both_predictions_with_marks(comparison, images):
    text = flips.draw(comparison, images, kind="became_wrong")["layout"]["annotations"][2]["text"]
    label, before, after = text.split("<br>")
    assert "coat" in label
    assert "coat" in before
    assert "✓" in before
    assert "bag" in after
    assert "✗" in after


def test_the_summary(comparison, compare):
    assert flips.summary(comparison) == "3 images went wrong, mostly shirt; 1 became right"
    assert flips.summary(compare([0], [0], [1])) == "1 image went wrong; 0 became right"
    labels = [0, 0, 1, 2]
    wrong = [(label + 1) % 3 for label in labels]
    title = "4 images went wrong, most often shirt; 0 became right"
    assert flips.summary(compare(labels, labels, wrong)) == title
    title = "2 images went wrong; 0 became right"
    assert flips.summary(compare([0, 1], [0, 1], [2, 2])) == title
    assert flips.summary(compare([0], [1], [0])) == "0 images went wrong; 1 became right"
    assert flips.summary(compare([0], [1], [1])) == "No prediction changed"


@pytest.mark.parametrize("display_type", ["image", "words"])
def test_a_title_is_about_the_examples_that_are_shown(comparison, images, display_type):
    titles = {
        "became_wrong": "3 {} went wrong, mostly shirt; 1 became right",
        "became_right": "1 {} became right; 3 went wrong",
        "stayed_wrong": "1 {} stayed wrong, with another class",
    }
    noun = {"image": ("images", "image"), "words": ("texts", "text")}[display_type]
    examples = images if display_type == "image" else [("a", "dress")] * 6
    for kind, title in titles.items():
        figure = flips.draw(comparison, examples, kind=kind, display_type=display_type)
        expected = title.format(noun[kind != "became_wrong"])
        assert figure["layout"]["title"]["text"] == expected


def test_later_and_empty_pages(comparison, images):
    assert flips.visible_examples(comparison, "became_wrong", 2, 1) == [2]
    empty = flips.draw(comparison, images, kind="became_right", first=8)
    go.Figure(empty)
    assert [note["text"] for note in empty["layout"]["annotations"]] == ["There are none."]
    assert len(flips.rows(comparison)) == 5


def test_a_few_images_are_larger_and_fill_the_row(comparison, images):
    few = flips.draw(comparison, images, columns=8)["layout"]
    count = len(flips.visible_examples(comparison, "became_wrong", 0, 8))
    assert 0 < count <= 4
    many = flips.draw(comparison, images, columns=count)["layout"]
    assert few["xaxis"]["range"][1] == pytest.approx(4 * flips.TILE_WIDTH - 0.5)
    assert few["height"] - 56 == 2 * (many["height"] - 56)


def test_an_image_of_any_size_fits_its_tile(comparison):
    images = np.zeros((6, 20, 200), np.uint8)
    (tile, *_others) = flips.draw(comparison, images)["data"]
    assert len(tile["z"][0]) == 50
    assert tile["dx"] * 50 == pytest.approx(28)
    assert tile["y0"] > 10


def test_sounds_are_tiles_with_time_across(comparison):
    sounds = [np.full((5 + number, 12), number / 2, np.float32) for number in range(6)]
    figure = flips.draw(comparison, sounds, display_type="frames")
    go.Figure(figure)
    assert [len(tile["z"][0]) for tile in figure["data"]] == [5, 6, 7]
    assert all(len(tile["z"]) == 12 for tile in figure["data"])
    assert figure["layout"]["coloraxis"]["cmax"] == 1.0
    assert figure["layout"]["title"]["text"].startswith("3 recordings went wrong")


@pytest.mark.parametrize("columns", [3, 11])
def test_texts_are_listed_with_their_predictions(comparison, columns):
    words = [("a", "<b>", "dress", ",", *["so", "soft"] * (20 * n)) for n in range(6)]
    figure = flips.draw(comparison, words, display_type="words", columns=columns)
    go.Figure(figure)
    assert figure["layout"]["title"]["text"].startswith("3 texts went wrong")
    (trace,) = figure["data"]
    assert "shirt" in trace["text"][0]
    assert "→ coat" in trace["text"][0]
    assert trace["text"][1] == "a &lt;b&gt; dress,"
    longest = max(len(unescape(text)) for text in trace["text"] if "<" not in text)
    assert longest * LETTER <= sheet_width(columns)
    for position, number in enumerate((0, 1, 2)):
        at = [y for y, text in zip(trace["y"], trace["text"], strict=True) if "→" in text][position]
        assert flips.tile_at(5, at, columns, "words") == position
        assert (
            flips.visible_examples(comparison, "became_wrong", 0, columns, "words")[position]
            == number
        )


def test_examples_without_a_display_are_listed_by_number(comparison):
    figure = flips.draw(comparison, [None] * 6, display_type="custom")
    assert "example 2, counted from 0" in figure["data"][0]["text"]
    assert flips.draw(comparison, [None] * 6, display_type="custom", first=9)["data"][0][
        "text"
    ] == ["There are none."]


def test_an_unknown_kind_is_an_error(comparison, images):
    with raises("argument.unknown_kind", "'foo'", "became_wrong"):
        flips.draw(comparison, images, kind="foo")
