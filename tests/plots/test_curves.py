"""The pictures of trainings compared: valid for plotly, and the titles say the finding."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from workbench.domain.metric import BITS_PER_CHARACTER
from workbench.experiments.cross_validation import CrossValidation
from workbench.experiments.job import Outcome
from workbench.experiments.learning_rate_range import RangeTest
from workbench.experiments.race import Race
from workbench.experiments.search import Search, SearchTrial
from workbench.experiments.trial import Point, Trial
from workbench.plots import curves, folds, learning_rate, search
from workbench.plots.palette import THEMES
from workbench.plots.picture import MIME, Picture
from workbench.plots.scales import height
from workbench.recipe import Train

SETTINGS = Train(start="scratch", steps=20)


def lane(name, end, repeat=0, **more):
    points = (Point(10, 0.5 + repeat, 1.5, end - 0.2), Point(20, 1.0 + repeat, 1.0, end))
    return Trial(name, SETTINGS, repeat, points, "finished", end, **more)


CLEAR = Race((lane("a", 0.8), lane("b", 0.85)), 1)
CLOSE = Race((lane("a", 0.80), lane("b", 0.86), lane("a", 0.84, 1), lane("b", 0.80, 1)), 2)
GOING = Race((replace(lane("a", 0.8), state="training", value=None, points=()),), 1)
LONELY = Race((lane("a", 0.8),), 1)


def title(figure):
    go.Figure(figure)  # plotly refuses what it does not know
    return figure["layout"]["title"]["text"]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("by", ["step", "second"])
@pytest.mark.parametrize(
    ("race", "summary"),
    [
        (GOING, "Who learns best? The race is on"),
        (LONELY, "a reaches 80.0\u202f%"),
        (CLEAR, "b wins with 85.0\u202f%, 5.0\u202fpoints ahead of a"),
        (CLOSE, "b reaches 83.0\u202f% ± 4.2, too close to a to call"),
    ],
    ids=["going", "lonely", "clear", "close"],
)
def test_a_race_in_every_state(race, by, theme, summary):
    assert title(curves.draw(race, by, theme)) == summary


def test_a_line_is_the_mean_of_the_repeats_in_a_band():
    curve = curves.mean_curve([one for one in CLOSE.trials if one.name == "a"], "second")
    assert curve.places == (1.0, 1.5)
    assert curve.mean == pytest.approx((0.62, 0.82))
    assert curve.low == pytest.approx((0.60, 0.80))
    assert curve.high == pytest.approx((0.64, 0.84))
    band, line = curves.draw(CLOSE)["data"][:2]
    assert line["x"] == [10, 20]
    assert line["y"] == pytest.approx([height(0.62), height(0.82)])
    assert band["fill"] == "toself"
    assert len(curves.draw(CLEAR)["data"]) == 2  # a single repeat has no band


def test_repeats_that_are_not_there_yet_do_not_count():
    behind = replace(lane("a", 0.9, 1), points=lane("a", 0.9, 1).points[:1])
    curve = curves.mean_curve([lane("a", 0.8), behind], "step")
    assert curve.places == (10, 20)
    assert curve.mean == pytest.approx((0.65, 0.8))


def test_lines_differ_in_dash_and_colour():
    many = Race(tuple(lane(str(n), 0.5) for n in range(12)), 1)
    looks = [(one["line"]["color"], one["line"]["dash"]) for one in curves.draw(many)["data"]]
    assert len(set(looks)) == 12
    assert len({dash for _colour, dash in looks[:6]}) == 6


def test_an_end_before_the_last_step_is_told():
    lanes = (
        replace(lane("a", 0.1), state="diverged"),
        replace(lane("b", 0.5), state="stopped early"),
    )
    names = [one["name"] for one in curves.draw(Race(lanes, 1))["data"]]
    assert names == ["a (diverged)", "b (stopped early)"]


def test_the_data_of_a_race():
    table = curves.rows(CLEAR)
    assert len(table) == 4
    assert table[0] == {
        "contestant": "a",
        "repeat": 0,
        "step": 10,
        "seconds": 0.5,
        "loss": 1.5,
        "accuracy": pytest.approx(0.6),
    }


RATES = (1e-4, 1e-3, 1e-2, 1e-1)


@pytest.mark.parametrize(
    ("losses", "diverged", "summary"),
    [
        ((), False, "The loss has not fallen at any learning rate"),
        ((2.0, 2.1, 2.2, 2.3), False, "The loss has not fallen at any learning rate"),
        ((2.0, 1.9, 0.5, 0.4), False, "The loss falls fastest at 0.001"),
        ((2.0, 1.9, 0.5, 9.0), True, "The loss falls fastest at 0.001, and explodes at 0.1"),
    ],
)
def test_a_range_test(losses, diverged, summary):
    test = RangeTest(RATES[: len(losses)], losses, losses, diverged)
    figure = learning_rate.draw(test)
    assert title(figure) == summary
    assert len(figure["layout"]["shapes"]) == (test.suggestion is not None)


DONE = (Outcome(0.8, 100, 1.0), Outcome(0.9, 100, 1.0))


@pytest.mark.parametrize(
    ("outcomes", "summary"),
    [
        ((None, None), "0 of 2 folds are done"),
        ((None, DONE[0]), "1 of 2 folds are done"),
        (DONE, "85.0\u202f% ± 7.1 on examples not learned from, over 2 folds"),
    ],
)
def test_folds(outcomes, summary):
    figure = folds.draw(CrossValidation(SETTINGS, outcomes))
    assert title(figure) == summary
    (bars,) = figure["data"]
    assert bars["y"] == [height(one.value) for one in outcomes if one is not None]


def test_a_search_puts_the_best_on_top_and_in_the_accent():
    trials = (
        SearchTrial(SETTINGS, {"learning_rate": 0.00123, "optimizer": "adam"}, DONE[:1]),
        SearchTrial(SETTINGS, {"learning_rate": 0.1, "optimizer": "sgd"}, DONE[1:]),
        SearchTrial(SETTINGS, {"learning_rate": 9.0, "optimizer": "sgd"}, ()),
    )
    figure = search.draw(Search(trials, 1))
    assert title(figure) == "Best of 2: learning rate 0.1, optimizer SGD, with 90.0\u202f%"
    (bars,) = figure["data"]
    assert bars["x"] == [height(0.8), height(0.9)]
    labels = figure["layout"]["yaxis"]["ticktext"]
    assert labels == ["learning rate 0.00123, optimizer Adam", "learning rate 0.1, optimizer SGD"]
    light = THEMES["light"]
    assert bars["marker"]["color"] == [light.muted, light.accent]


def test_spread_of_a_search_is_drawn_where_there_are_folds():
    figure = search.draw(Search((SearchTrial(SETTINGS, {"batch": 8}, DONE),), 2))
    assert title(figure) == "Best of 1: batch 8, with 85.0\u202f% ± 7.1"
    error = figure["data"][0]["error_x"]
    assert error["visible"]
    assert error["array"][0] > error["arrayminus"][0] > 0
    assert title(search.draw(Search((), 2))) == "The search is on"


BITS = {"metric": BITS_PER_CHARACTER}


def test_a_race_in_which_less_is_better():
    lanes = (lane("a", 2.0), lane("b", 1.5), lane("wild", 1e9))
    race = Race(lanes, 1, **BITS)
    figure = curves.draw(race)
    assert title(figure) == "b wins with 1.500\u202fbits, 0.500\u202fbits ahead of a"
    above = figure["layout"]["yaxis"]
    assert above["title"]["text"] == "bits per character on validation examples, estimated"
    assert {"2", "5"} <= set(above["ticktext"])
    low, high = above["range"]
    a, b, wild = (one["y"] for one in figure["data"])
    assert low == wild[-1] < a[-1] < b[-1] < high  # better is higher, and nothing is out of sight
    assert figure["data"][1]["customdata"] == ["1.300\u202fbits", "1.500\u202fbits"]
    assert curves.rows(race)[0]["bits per character"] == pytest.approx(1.8)
    going = Race((replace(lanes[0], value=None, points=()),), 1, **BITS)
    assert title(curves.draw(going)) == "Who learns best? The race is on"
    close = Race((lane("a", 2.0), lane("b", 1.9), lane("a", 1.8, 1), lane("b", 1.8, 1)), 2, **BITS)
    assert title(curves.draw(close)).startswith("b reaches 1.850\u202fbits ± 0.0707, too close")


def test_folds_of_which_less_is_better():
    outcomes = (Outcome(2.0, 50, 1.0), None, Outcome(1.0, 50, 1.0))
    figure = folds.draw(CrossValidation(SETTINGS, outcomes, **BITS))
    assert title(figure) == "2 of 3 folds are done"
    (bars,) = figure["data"]
    assert bars["y"][1] > bars["y"][0] > 0
    assert bars["base"] == figure["layout"]["yaxis"]["range"][0]
    assert bars["text"] == ["2.000\u202fbits", "1.000\u202fbits"]
    assert bars["customdata"] == [
        "2.000\u202fbits on 50 examples",
        "1.000\u202fbits on 50 examples",
    ]
    line, band = figure["layout"]["shapes"]
    assert band["y0"] > line["y0"] > band["y1"]  # more is lower
    assert figure["layout"]["yaxis"]["title"]["text"] == "bits per character on what was held out"
    whole = CrossValidation(SETTINGS, (outcomes[0], outcomes[2]), **BITS)
    assert title(folds.draw(whole)).startswith("1.500\u202fbits ± 0.707 on examples")


def test_a_search_in_which_less_is_better():
    ends = {8: (2.0, 2.2), 16: (1.0, 1.2), 32: (1e6, 3e6)}
    trials = [
        SearchTrial(SETTINGS, {"batch": batch}, tuple(Outcome(one, 50, 1.0) for one in found))
        for batch, found in ends.items()
    ]
    figure = search.draw(Search(tuple(trials), 2, **BITS))
    assert title(figure) == "Best of 3: batch 16, with 1.100\u202fbits ± 0.141"
    (bars,) = figure["data"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["batch 32", "batch 8", "batch 16"]
    assert bars["x"] == sorted(bars["x"])
    assert bars["x"][0] == 0
    assert all(end >= 0 for side in ("array", "arrayminus") for end in bars["error_x"][side])
    assert figure["layout"]["xaxis"]["title"]["text"] == "bits per character"


def test_a_picture_shows_itself():
    shown = Picture(curves.draw(CLEAR))._repr_mimebundle_()
    assert shown["text/plain"] == title(curves.draw(CLEAR))
    assert shown[MIME]["data"]
