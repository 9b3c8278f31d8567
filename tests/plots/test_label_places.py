"""Labels of the trade-off: true on their side of the goal, and without overlaps."""

from __future__ import annotations

from itertools import combinations
from math import log10

import pytest
from hypothesis import given, strategies as st

from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER
from workbench.plots import label_places, scales, tradeoff
from workbench.plots.goal import Goal
from workbench.plots.label_places import Box
from workbench.plots.palette import LIGHT
from workbench.plots.spots import Landmark, Spot

ORIGINALS = {
    ACCURACY: Spot(1_700_000, 0.914, 0.914, 0.914),
    BITS_PER_CHARACTER: Spot(2_500_000, 1.5, 1.5, 1.5),
}
PRESETS = {
    "8 bits": (0.22, 0.001),
    "half pruned": (0.14, -0.01),
    "small": (0.05, -0.1),
    "tiny": (0.025, -0.6),
}
"""Shares of the original's size, and changes of its metric for the better."""

metrics = st.sampled_from(list(ORIGINALS))
shares = st.floats(0.003, 1.4)
floors = st.floats(0.2, 1.08)
places = st.tuples(shares, st.floats(-0.7, 0.01))


def point(original, share, change, metric):
    value = original.value + (change if metric.higher_is_better else -change)
    return Spot(round(share * original.bytes), value, value, value)


def draw(metric, budget, floor, you):
    original = ORIGINALS[metric]
    goal = Goal(round(budget * original.bytes), floor * original.value)
    marks = [
        Landmark(name, point(original, *place, metric), name=name)
        for name, place in PRESETS.items()
    ]
    you = point(original, *you, metric)
    figure = tradeoff.draw(original, [], you, LIGHT, goal=goal, landmarks=marks, metric=metric)
    return goal, figure


def share_of(figure, axis, value):
    low, high = figure["layout"][axis]["range"]
    return (value - low) / (high - low)


def note_box(figure, note):
    """Return the rectangle of an annotation in px, as plotly places it in the plot of a phone."""
    lines = note["text"].split("<br>")
    width, height = label_places.size(lines)
    x = note["x"] if note.get("xref") == "paper" else share_of(figure, "xaxis", note["x"])
    y = note["y"] if note.get("yref") == "paper" else share_of(figure, "yaxis", note["y"])
    across = x * label_places.WIDTH + note.get("xshift", 0)
    up = y * label_places.HEIGHT + note.get("yshift", 0)
    start = across if note["xanchor"] == "left" else across - width
    bottom = up if note["yanchor"] == "bottom" else up - height
    return Box(start, bottom, start + width, bottom + height)


def preset_boxes(figure):
    trace = next(t for t in figure["data"] if t.get("name") == "presets")
    keys = ("x", "y", "text", "textposition")
    for x, y, text, side in zip(*(trace[key] for key in keys), strict=True):
        across = label_places.WIDTH * share_of(figure, "xaxis", log10(x))
        up = label_places.HEIGHT * share_of(figure, "yaxis", y)
        if text:
            yield label_places.around((across, up), text)[side]


@pytest.mark.slow
@given(metrics, shares, floors, places)
def test_labels_neither_overlap_nor_lie_on_the_goal(metric, budget, floor, you):
    goal, figure = draw(metric, budget, floor, you)
    notes = [note_box(figure, note) for note in figure["layout"]["annotations"]]
    boxes = [  # without the 3 px by which letters do not fill their line
        Box(box.start + 3, box.bottom + 3, box.end - 3, box.top - 3)
        for box in (*notes, *preset_boxes(figure))
    ]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    for one, other in combinations(notes, 2):
        if one.bottom < other.top and other.bottom < one.top:  # in a line
            assert max(one.start, other.start) - min(one.end, other.end) >= 20
    height = scales.Axis(metric, ORIGINALS[metric].value).height(goal.floor)
    across = label_places.WIDTH * share_of(figure, "xaxis", log10(goal.budget))
    level = label_places.HEIGHT * share_of(figure, "yaxis", height)
    if 0 <= across <= label_places.WIDTH:  # no line is drawn outside the plot
        assert not [box for box in boxes if box.start < across < box.end]
    if 0 <= level <= label_places.HEIGHT:
        assert not [box for box in boxes if box.bottom < level < box.top]


@given(metrics, shares, floors)
def test_a_limit_has_one_text_on_either_side_of_the_edge(metric, budget, floor):
    _goal, figure = draw(metric, budget, floor, (0.5, 0.0))
    for note in figure["layout"]["annotations"]:
        text = note["text"]
        is_size = note.get("yref") == "paper"
        sign = "≥" if not is_size and metric.higher_is_better else "≤"
        assert text.removeprefix("goal ").startswith(f"{sign} ")


def test_limits_are_named_where_there_is_room():
    for metric in ORIGINALS:
        _goal, figure = draw(metric, 0.1, 0.9 if metric.higher_is_better else 1.3, (0.5, 0.0))
        notes = [note["text"] for note in figure["layout"]["annotations"]]
        assert any("kB" in text for text in notes)
        assert any(("%" in text) or ("bits" in text) for text in notes)
