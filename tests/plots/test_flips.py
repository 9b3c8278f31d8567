"""The images that changed: the right ones, each with its label and both predictions."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from workbench.plots import flips
from workbench.plots.palette import THEMES

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
    assert flips.shown(found, kind, 0, 2) == numbers


def test_a_tile_says_label_and_both_predictions_with_a_mark_beside_the_colour(found, images):
    text = flips.draw(found, images, kind="lost")["layout"]["annotations"][2]["text"]
    label, before, after = text.split("<br>")
    assert "coat" in label
    assert "coat" in before
    assert "✓" in before
    assert "bag" in after
    assert "✗" in after


def test_the_finding(found, changes):
    assert flips.finding(found) == "3 images went wrong, mostly shirt; 1 became right"
    assert (
        flips.finding(changes([0], [0], [1])) == "1 image went wrong, mostly shirt; 0 became right"
    )
    assert flips.finding(changes([0], [1], [0])) == "0 images went wrong; 1 became right"
    assert flips.finding(changes([0], [1], [1])) == "No prediction changed"


def test_later_pages_and_none_at_all(found, images):
    assert flips.shown(found, "lost", 2, 1) == [2]
    empty = flips.draw(found, images, kind="won", first=8)
    go.Figure(empty)
    assert [note["text"] for note in empty["layout"]["annotations"]] == ["There is no such image."]
    assert len(flips.rows(found)) == 5
