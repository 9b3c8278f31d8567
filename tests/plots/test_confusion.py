"""Confusion matrices with exact counts, and their difference."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from workbench.plots import confusion, recall
from workbench.plots.palette import THEMES

CLASSES = ("shirt", "coat", "bag")
BEFORE = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 5]])
AFTER = np.array([[5, 5, 0], [1, 8, 1], [0, 0, 5]])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("stacked", [False, True])
def test_three_matrices_with_their_counts(theme, stacked):
    figure = confusion.draw(BEFORE, AFTER, CLASSES, THEMES[theme], stacked=stacked)
    go.Figure(figure)
    before, after, change = figure["data"]
    assert before["customdata"] == BEFORE.tolist()
    assert after["customdata"] == AFTER.tolist()
    assert change["customdata"] == (AFTER - BEFORE).tolist()
    assert change["text"][0] == ["\u22123", "+3", ""]
    assert change["zmin"] == -change["zmax"]
    assert change["z"] == np.round([[-(3**0.5), 3**0.5, 0], [0, -1, 1], [0, 0, 0]], 3).tolist()
    assert figure["layout"]["title"]["text"] == "Largest increase: shirt predicted as coat, 3 more"
    domains = [figure["layout"][name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert (len({tuple(d) for d in domains}) == 3) == stacked


def test_longer_numbers_are_smaller_so_that_they_fit_in_their_cells():
    figures = confusion.draw(BEFORE, 40 * AFTER, CLASSES)["data"]
    before, after, change = (matrix["textfont"]["size"] for matrix in figures)  # 8, 320, +312
    assert before > after > change >= 10
    cell = 23  # px on a phone, with ten classes
    assert [3 * 0.6 * after <= cell, 4 * 0.6 * change <= cell + 2] == [True, True]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (BEFORE, BEFORE, "The confusion matrix did not change"),
        (AFTER, BEFORE, "Largest decrease: shirt predicted as coat, 3 fewer"),
    ],
)
def test_other_summaries(before, after, text):
    assert confusion.summary(after - before, CLASSES) == text


def test_the_data_of_the_matrices():
    rows = confusion.rows(BEFORE, AFTER, CLASSES)
    assert sum(row["before"] for row in rows) == BEFORE.sum()
    assert rows[1] == {
        "label": "shirt",
        "predicted": "coat",
        "before": 2,
        "after": 5,
        "difference": 3,
    }


@pytest.mark.parametrize("theme", THEMES)
def test_recall_is_sorted_by_loss(theme):
    figure = recall.draw((0.8, 0.9, 0.5), (0.5, 0.8, 0.6), CLASSES, THEMES[theme])
    go.Figure(figure)
    _line, before, after = figure["data"]
    assert before["y"] == after["y"] == ["shirt", "coat", "bag"]
    assert after["x"] == [0.5, 0.8, 0.6]
    assert before["marker"]["symbol"] != after["marker"]["symbol"]
    title = "shirt lost most, \u221230.0\u202fpoints; bag gained +10.0\u202fpoints"
    assert figure["layout"]["title"]["text"] == title


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ((0.8, 0.9), "The recall of every class is unchanged"),
        ((0.8, 1.0), "No class lost recall; coat gained most, +10.0\u202fpoints"),
        ((0.7, 0.9), "shirt lost most, \u221210.0\u202fpoints"),
    ],
)
def test_other_summaries_of_recall(after, text):
    figure = recall.draw((0.8, 0.9), after, CLASSES[:2])
    assert figure["layout"]["title"]["text"] == text


def test_a_class_without_examples_is_omitted():
    figure = recall.draw((0.8, float("nan")), (0.7, float("nan")), CLASSES[:2])
    assert figure["data"][1]["y"] == ["shirt"]
    assert len(recall.rows((0.8, 0.5), (0.7, 0.5), CLASSES[:2])) == 2
