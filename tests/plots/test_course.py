"""The figure of a training run's course: valid at every stage, with the result in its title."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, Metric
from workbench.evaluation.report import Score
from workbench.evaluation.training_progress import TrainingProgress
from workbench.plots import course
from workbench.plots.palette import LIGHT, THEMES
from workbench.recipe import Train

CUSTOM = Metric("custom", "whole", is_fraction=False)
SETTINGS = Train(1170)
STEPS = tuple((step, 2.0 / step, min(0.9, step / 500)) for step in range(1, 1171, 10))


def score(value, examples=1176, margin=0.02):
    exact = examples == 5000
    low, high = (value, value) if exact else (value - margin, value + margin)
    return Score("accuracy", value, low, high, examples, 5000, {})


START = TrainingProgress(SETTINGS, step=300, seconds=6.0, steps=STEPS[:31])
RUNNING = replace(START, course=((0, score(0.62, 5000)), (250, score(0.84))))
OVER = replace(START, step=1170, seconds=17.0, over=True, steps=STEPS, course=RUNNING.course)
DONE = OVER.measured(score(0.889, 5000), elapsed=20.2)


def title(figure):
    return figure["layout"]["title"]["text"]


def names(figure):
    return [line.get("name") for line in figure["data"] if line.get("showlegend", True)]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("loss", [False, True])
@pytest.mark.parametrize("metric", [ACCURACY, BITS_PER_CHARACTER, CUSTOM])
@pytest.mark.parametrize(
    "progress", [TrainingProgress(SETTINGS), START, RUNNING, OVER, DONE], ids=str
)
def test_every_stage_is_a_valid_figure(progress, metric, loss, theme):
    go.Figure(course.draw(progress, THEMES[theme], metric, original=0.91, loss=loss))
    go.Figure(course.draw(progress, THEMES[theme], metric, loss=loss))


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (TrainingProgress(SETTINGS, budget=20.0), "Measuring how many steps fit into 20 s"),
        (START, "Step 300 of 1,170"),
        (RUNNING, "Step 300 of 1,170: the file of step 250 reaches 84.0\u202f%"),
        (DONE, "Fine-tuned: 62.0\u202f% → 88.9\u202f%, 1,170 steps in 20 s"),
        (replace(DONE, elapsed=None), "Fine-tuned: 62.0\u202f% → 88.9\u202f%, 1,170 steps in 17 s"),
        (
            replace(DONE, settings=Train(1170, teacher="self")),
            "Distilled: 62.0\u202f% → 88.9\u202f%, 1,170 steps in 20 s",
        ),
        (
            replace(DONE, settings=Train(1170, start="scratch")),
            "Trained from scratch: 88.9\u202f%, 1,170 steps in 20 s",
        ),
        (
            replace(DONE, settings=Train(1170, start="scratch", teacher="self")),
            "Student trained: 88.9\u202f%, 1,170 steps in 20 s",
        ),
        (
            OVER.measured(score(0.61, 5000)),
            (
                "Fine-tuning made the file worse: 62.0\u202f% → 61.0\u202f%, 1,170 steps in 17 s; "
                "step 250 was better: 84.0\u202f%"
            ),
        ),
        (
            replace(
                OVER,
                settings=Train(1170, teacher="self"),
                course=((0, score(0.62, 5000)), (250, score(0.61))),
            ).measured(score(0.6, 5000)),
            "Distillation made the file worse: 62.0\u202f% → 60.0\u202f%, 1,170 steps in 17 s",
        ),
        (
            OVER.measured(score(0.81, 5000)),
            (
                "Fine-tuned: 62.0\u202f% → 81.0\u202f%, 1,170 steps in 17 s; "
                "step 250 was better: 84.0\u202f%"
            ),
        ),
        (  # within the interval of the estimate
            OVER.measured(score(0.83, 5000)),
            "Fine-tuned: 62.0\u202f% → 83.0\u202f%, 1,170 steps in 17 s",
        ),
        (  # the start is an estimate, whose interval the result is in
            replace(OVER, course=((0, score(0.62)),)).measured(score(0.61, 5000)),
            "Fine-tuned: 62.0\u202f% → 61.0\u202f%, 1,170 steps in 17 s",
        ),
        (  # the standard error of 84 % of 5,000 is half a point
            replace(OVER, course=((0, score(0.62)), (250, score(0.84, 5000)))).measured(
                score(0.836, 5000)
            ),
            "Fine-tuned: 62.0\u202f% → 83.6\u202f%, 1,170 steps in 17 s",
        ),
        (
            TrainingProgress(Train(1), step=1, over=True).measured(score(0.889, 5000)),
            "Fine-tuned: 88.9\u202f%, 1 step",
        ),
    ],
)
def test_the_title_states_what_happens_or_the_result(progress, expected):
    assert title(course.draw(progress, LIGHT)) == expected


def test_the_curve_shows_estimates_hollow_and_exact_values_filled():
    _band, line, _sparsity = course.draw(DONE, LIGHT)["data"]
    assert line["x"] == [0, 250, 1170]
    assert line["y"] == sorted(line["y"])
    assert line["marker"]["color"] == [LIGHT.accent, LIGHT.panel, LIGHT.accent]
    assert "exact" in line["customdata"][0]
    assert "between 82.0\u202f% and 86.0\u202f%" in line["customdata"][1]


def test_the_band_is_the_interval_of_each_point():
    band, line, _sparsity = course.draw(DONE, LIGHT)["data"]
    assert band["x"] == [0, 250, 1170, 1170, 250, 0]
    assert band["y"][0] == band["y"][-1] == line["y"][0]
    assert band["y"][1] < line["y"][1] < band["y"][4]


def test_growing_sparsity_has_an_axis_of_its_own():
    figure = course.draw(RUNNING, LIGHT)
    *_rest, sparsity = figure["data"]
    assert sparsity["yaxis"] == "y2"
    assert sparsity["line"]["dash"] == "dash"
    assert sparsity["y"] == [share for _step, _loss, share in RUNNING.steps]
    assert figure["layout"]["yaxis2"]["side"] == "right"
    dense = replace(RUNNING, steps=((1, 2.0, 0.0), (2, 1.0, 0.0)))
    figure = course.draw(dense, LIGHT)
    assert names(figure) == ["accuracy of the file"]
    assert "yaxis2" not in figure["layout"]


def test_the_loss_takes_the_place_of_the_metric():
    figure = course.draw(DONE, LIGHT, original=0.91, loss=True)
    assert names(figure) == ["training loss", "sparsity during training"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "training loss"


def original(figure):
    """Return the line of the original model."""
    (line,) = [x for x in figure["data"] if x.get("line", {}).get("dash") == "dot"]
    return line


def test_the_original_model_is_a_line_at_its_value():
    figure = course.draw(replace(DONE, course=((0, score(0.91, 5000)),)), LIGHT, original=0.91)
    height, end = original(figure)["y"]
    assert height == end == figure["data"][1]["y"][0]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < height < high
    assert original(figure)["x"] == [0, max(1, DONE.step)]
    assert not figure["layout"].get("annotations")  # the course may be anywhere


def test_better_is_higher_for_a_metric_to_minimize():
    points = ((0, score(4.0, margin=0.1)), (5, score(2.0, margin=0.1)))
    figure = course.draw(replace(START, course=points), LIGHT, BITS_PER_CHARACTER, original=1.9)
    first, second = figure["data"][1]["y"]
    assert first < second < original(figure)["y"][0]
    assert title(figure).endswith("reaches 2.000\u202fbits")


def test_a_real_fall_at_the_beginning_is_explained():
    fallen = replace(DONE, course=((0, score(0.84)), (10, score(0.7)), (1170, score(0.9, 5000))))
    assert "The drop at the beginning is real" in course.note(fallen)
    noise = replace(DONE, course=((0, score(0.84)), (10, score(0.83)), (1170, score(0.9, 5000))))
    never = replace(DONE, course=((0, score(0.84)), (10, score(0.7)), (1170, score(0.7, 5000))))
    for other in (noise, never, RUNNING):
        assert "fall" not in course.note(other)
    assert "fall" not in course.note(fallen, BITS_PER_CHARACTER)  # lower is better


def test_the_note_names_the_sample():
    assert "1,176 of 5,000 validation examples" in course.note(RUNNING)
    assert course.note(START) == ""
    assert course.note(replace(DONE, course=DONE.course[::2])) == ""  # all are exact


def test_the_table_holds_steps_and_points():
    table = course.rows(RUNNING)
    assert [row["step"] for row in table][:3] == [0, 1, 11]
    assert table[0] == {
        "step": 0,
        "loss": None,
        "sparsity": None,
        "accuracy": 0.62,
        "low": 0.62,
        "high": 0.62,
        "examples": 5000,
    }
    assert table[1]["loss"] == 2.0
    assert table[1]["accuracy"] is None


def test_the_line_of_the_uncompressed_model_has_its_name():
    def label(**more):
        return original(course.draw(DONE, LIGHT, original=0.91, **more))["name"]

    assert label() == "the original model"
    assert label(original_name="the uncompressed student") == "the uncompressed student"


def test_the_first_and_last_points_are_not_cut_at_the_edges():
    (line,) = (line for line in course.draw(DONE, LIGHT)["data"] if "markers" in line["mode"])
    assert line["cliponaxis"] is False
