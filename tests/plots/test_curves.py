"""Figures of experiments: valid for plotly, with the result in the title."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from tests.raises import raises
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
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Train

SETTINGS = Train(start="scratch", steps=20)


def trial(name, end, repeat=0, **more):
    points = (Point(10, 0.5 + repeat, 1.5, end - 0.2), Point(20, 1.0 + repeat, 1.0, end))
    return Trial(name, SETTINGS, repeat, points, "finished", end, **more)


CLEAR = Race((trial("a", 0.8), trial("b", 0.85)), 1)
CLOSE = Race((trial("a", 0.80), trial("b", 0.86), trial("a", 0.84, 1), trial("b", 0.80, 1)), 2)
RUNNING = Race((replace(trial("a", 0.8), state="training", value=None, points=()),), 1)
SINGLE = Race((trial("a", 0.8),), 1)


def title(figure):
    go.Figure(figure)  # plotly rejects unknown properties
    return figure["layout"]["title"]["text"]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("by", ["step", "second"])
@pytest.mark.parametrize(
    ("race", "summary"),
    [
        (RUNNING, "The trials are running: no result yet"),
        (SINGLE, "a reaches 80.0\u202f%"),
        (CLEAR, "b wins with 85.0\u202f%, 5.0\u202fpoints ahead of a"),
        (CLOSE, "b reaches 83.0\u202f% ± 4.2; its lead over a is within the spread"),
    ],
    ids=["running", "single", "clear", "close"],
)
def test_a_race_in_every_state(race, by, theme, summary):
    assert title(curves.draw(race, by, theme)) == summary


def test_a_line_is_the_mean_of_the_repeats_with_a_band():
    curve = curves.mean_curve([t for t in CLOSE.trials if t.name == "a"], "second")
    assert curve.positions == (1.0, 1.5)
    assert curve.mean == pytest.approx((0.62, 0.82))
    assert curve.low == pytest.approx((0.60, 0.80))
    assert curve.high == pytest.approx((0.64, 0.84))
    band, line = curves.draw(CLOSE)["data"][:2]
    assert line["x"] == [10, 20]
    assert line["y"] == pytest.approx([height(0.62), height(0.82)])
    assert band["fill"] == "toself"
    assert len(curves.draw(CLEAR)["data"]) == 2  # a single repeat has no band


def test_unfinished_repeats_are_skipped():
    behind = replace(trial("a", 0.9, 1), points=trial("a", 0.9, 1).points[:1])
    curve = curves.mean_curve([trial("a", 0.8), behind], "step")
    assert curve.positions == (10, 20)
    assert curve.mean == pytest.approx((0.65, 0.8))


def test_lines_differ_in_dash_and_color():
    many = Race(tuple(trial(str(n), 0.5) for n in range(12)), 1)
    lines = [trace["line"] for trace in curves.draw(many)["data"]]
    assert len({(line["color"], line["dash"]) for line in lines}) == 12
    assert len({line["dash"] for line in lines[:6]}) == 6


def test_an_early_end_is_named():
    trials = (
        replace(trial("a", 0.1), state="diverged"),
        replace(trial("b", 0.5), state="stopped early"),
    )
    names = [trace["name"] for trace in curves.draw(Race(trials, 1))["data"]]
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
        "joules": None,
        "joules_low": None,
        "joules_high": None,
        "energy_how": "unknown",
    }


def test_curves_by_energy():
    def counted(trial):
        points = (
            replace(point, energy=Energy(joules, 0, 9, "model", ("process",)))
            for point, joules in zip(trial.points, (2.0, 5.0), strict=True)
        )
        return replace(trial, points=tuple(points))

    race = replace(CLEAR, trials=tuple(map(counted, CLEAR.trials)))
    figure = curves.draw(race, by="joule")
    assert figure["data"][0]["x"] == [2.0, 5.0]
    title = figure["layout"]["xaxis"]["title"]["text"]
    assert title == "joules of training, estimated from processor time"
    assert "measured" not in str(curves.card(race))
    with raises("energy.not_known"):
        curves.draw(CLEAR, by="joule")


RATES = (1e-4, 1e-3, 1e-2, 1e-1)


@pytest.mark.parametrize(
    ("losses", "diverged", "summary"),
    [
        ((), False, "The loss did not decrease at any learning rate"),
        ((2.0, 2.1, 2.2, 2.3), False, "The loss did not decrease at any learning rate"),
        ((2.0, 1.9, 0.5, 0.4), False, "The loss decreases fastest at 0.001"),
        ((2.0, 1.9, 0.5, 9.0), True, "The loss decreases fastest at 0.001 and diverges at 0.1"),
    ],
)
def test_a_range_test(losses, diverged, summary):
    test = RangeTest(RATES[: len(losses)], losses, losses, diverged)
    figure = learning_rate.draw(test)
    assert title(figure) == summary
    assert len(figure["layout"]["shapes"]) == (test.suggestion is not None)
    places = [10 ** note["x"] for note in figure["layout"]["annotations"]]
    assert places == ([] if test.suggestion is None else [pytest.approx(test.suggestion)])


DONE = (Outcome(0.8, 100, 1.0), Outcome(0.9, 100, 1.0))


@pytest.mark.parametrize(
    ("outcomes", "summary"),
    [
        ((None, None), "0 of 2 folds are done"),
        ((None, DONE[0]), "1 of 2 folds are done"),
        (DONE, "85.0\u202f% ± 7.1 on held-out examples, over 2 folds"),
    ],
)
def test_folds(outcomes, summary):
    figure = folds.draw(CrossValidation(SETTINGS, outcomes))
    assert title(figure) == summary
    (bars,) = figure["data"]
    assert bars["y"] == [height(fold.value) for fold in outcomes if fold is not None]


def test_a_search_highlights_the_best_trial_on_top():
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


def test_the_spread_over_folds_is_drawn():
    figure = search.draw(Search((SearchTrial(SETTINGS, {"batch": 8}, DONE),), 2))
    assert title(figure) == "Best of 1: batch 8, with 85.0\u202f% ± 7.1"
    error = figure["data"][0]["error_x"]
    assert error["visible"]
    assert error["array"][0] > error["arrayminus"][0] > 0
    assert title(search.draw(Search((), 2))) == "The search is running: no result yet"


BITS = {"metric": BITS_PER_CHARACTER}


def test_a_race_on_a_metric_to_minimize():
    trials = (trial("a", 2.0), trial("b", 1.5), trial("wild", 1e9))
    race = Race(trials, 1, **BITS)
    figure = curves.draw(race)
    assert title(figure) == "b wins with 1.500\u202fbits, 0.500\u202fbits ahead of a"
    y_axis = figure["layout"]["yaxis"]
    assert y_axis["title"]["text"] == "bits per character on validation examples, estimated"
    assert {"2", "5"} <= set(y_axis["ticktext"])
    low, high = y_axis["range"]
    a, b, wild = (trace["y"] for trace in figure["data"])
    assert low == wild[-1] < a[-1] < b[-1] < high  # better is higher, and every point is visible
    assert figure["data"][1]["customdata"] == ["1.300\u202fbits", "1.500\u202fbits"]
    assert curves.rows(race)[0]["bits per character"] == pytest.approx(1.8)
    running = Race((replace(trials[0], value=None, points=()),), 1, **BITS)
    assert title(curves.draw(running)) == "The trials are running: no result yet"
    close = Race(
        (trial("a", 2.0), trial("b", 1.9), trial("a", 1.8, 1), trial("b", 1.8, 1)), 2, **BITS
    )
    assert title(curves.draw(close)).startswith("b reaches 1.850\u202fbits ± 0.0707; its lead")


def test_folds_on_a_metric_to_minimize():
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
    assert band["y0"] > line["y0"] > band["y1"]  # larger values are lower
    assert figure["layout"]["yaxis"]["title"]["text"] == "bits per character on the held-out fold"
    complete = CrossValidation(SETTINGS, (outcomes[0], outcomes[2]), **BITS)
    assert title(folds.draw(complete)).startswith("1.500\u202fbits ± 0.707 on held-out examples")


def test_a_search_on_a_metric_to_minimize():
    values = {8: (2.0, 2.2), 16: (1.0, 1.2), 32: (1e6, 3e6)}
    trials = [
        SearchTrial(SETTINGS, {"batch": batch}, tuple(Outcome(value, 50, 1.0) for value in pair))
        for batch, pair in values.items()
    ]
    figure = search.draw(Search(tuple(trials), 2, **BITS))
    assert title(figure) == "Best of 3: batch 16, with 1.100\u202fbits ± 0.141"
    (bars,) = figure["data"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["batch 32", "batch 8", "batch 16"]
    assert bars["x"] == sorted(bars["x"])
    assert bars["x"][0] == 0
    assert all(end >= 0 for side in ("array", "arrayminus") for end in bars["error_x"][side])
    assert figure["layout"]["xaxis"]["title"]["text"] == "bits per character"


def test_a_picture_displays_itself():
    shown = Picture(curves.draw(CLEAR))._repr_mimebundle_()
    assert shown["text/plain"] == title(curves.draw(CLEAR))
    assert shown[MIME]["data"]
