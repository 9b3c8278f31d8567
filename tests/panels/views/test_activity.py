"""The line above the tabs of the Train page: every state of training and of a sweep."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.evaluation.report import Score
from workbench.evaluation.training_progress import TrainingProgress
from workbench.panels.training import CHANGES
from workbench.panels.views.activity import activity, is_running
from workbench.recipe import Recipe, Train
from workbench.session.sweep_progress import SweepProgress

SETTINGS = Train(1170)
RUNNING = TrainingProgress(SETTINGS, step=300, seconds=6.0, seconds_left=12.3)
OVER = TrainingProgress(SETTINGS, step=1170, over=True)
COST = {"seconds": 17.2, "steps": 1170.0, "examples_per_second": 7400.0}
SWEEP = SweepProgress(20.0, students=12, finished=2, completed=0.25, seconds_left=14.6)


def test_the_remaining_time_follows_from_the_steps_since_the_first_result(monkeypatch):
    progress, seconds = SweepProgress(None), []
    for now, completed in ((10.0, 0.2), (12.0, 0.2), (18.0, 0.6)):
        clock = SimpleNamespace(monotonic=lambda now=now: now)
        monkeypatch.setattr("workbench.session.sweep_progress.time", clock)
        progress = progress.after(SimpleNamespace(students=2, outcomes=(), completed=completed))
        seconds.append(progress.seconds_left)
    assert seconds == [None, None, pytest.approx(8.0)]


def session(**changes):
    """A session in which nothing is trained, except for `changes`."""
    values = {
        "recipe": Recipe(),
        "training": None,
        "training_budget": None,
        "interruption": None,
        "busy": False,
        "settled": True,
        "error": None,
        "report": None,
        "sweep_progress": None,
        "model": wb.model("fashion/lenet5"),
    }
    return SimpleNamespace(**values | changes)


def trains(settings=SETTINGS, **changes):
    return session(recipe=Recipe(train=settings), **changes)


def test_without_training_there_is_nothing_to_say():
    assert activity(session(), "training") is None
    assert activity(session(busy=True), "training") is None  # it measures an untrained file


@pytest.mark.parametrize(
    ("state", "text", "fraction"),
    [
        (
            trains(busy=True, training_budget=20.0),
            "Measuring how many steps fit into 20 s",
            None,
        ),
        (trains(busy=True), "Preparing the training", None),
        (
            trains(busy=True, training=RUNNING),
            "Fine-tuning: step 300 of 1,170, about 12 s left",
            300 / 1170,
        ),
        (
            trains(
                Train(1170, teacher="self"),
                busy=True,
                training=TrainingProgress(Train(1170, teacher="self"), step=1, seconds_left=0.2),
            ),
            "Distilling: step 1 of 1,170, about 1 s left",
            1 / 1170,
        ),
        (
            trains(busy=True, training=OVER),
            "Measuring the trained file on all images",
            None,
        ),
    ],
)
@pytest.mark.parametrize("tab", ["training", "teacher", "temperature"])
def test_every_tab_names_the_running_training(state, text, fraction, tab):
    line = activity(state, tab)
    assert line["text"] == text
    assert line["fraction"] == fraction
    assert is_running(line)


@pytest.mark.parametrize("tab", ["training", "teacher", "temperature"])
@pytest.mark.parametrize(
    ("sweep", "text"),
    [
        (SweepProgress(20.0), "Measuring how many steps fit into 20 s"),
        (SweepProgress(20.0, students=12), "Training 12 students"),
        (SWEEP, "Training 12 students: 2 finished, about 15 s left"),
    ],
)
def test_every_tab_names_the_running_sweep(sweep, text, tab):
    line = activity(session(sweep_progress=sweep), tab)
    assert line["text"] == text
    assert is_running(line)


def test_each_tab_prefers_its_own_work():
    both = trains(busy=True, training=RUNNING, sweep_progress=SWEEP)
    assert "step 300" in activity(both, "training")["text"]
    assert "12 students" in activity(both, "temperature")["text"]


def test_a_stopped_sweep_keeps_its_students():
    line = activity(session(sweep_progress=SWEEP.ended()), "temperature")
    assert line["text"] == "Stopped: 2 of 12 students have finished."
    assert not is_running(line)
    finished = SweepProgress(20.0, students=12, finished=12, completed=1.0, over=True)
    assert activity(session(sweep_progress=finished), "temperature") is None


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (None, "Stopped before the first step."),
        (RUNNING, "Stopped at step 300 of 1,170; these steps are kept."),
        (OVER, "Stopped before the trained file was measured."),
    ],
)
def test_a_stopped_training_can_be_resumed(progress, text):
    line = activity(trains(settled=False, training=progress), "training")
    assert line["text"] == text
    assert [button["act"] for button in line["buttons"]] == ["resume"]


def test_a_training_that_another_change_interrupted_can_be_undone():
    note = "Training stopped at step 300 of 1,170: undo to resume it."
    line = activity(session(interruption=note), "training")
    assert line["text"] == note
    assert [button["act"] for button in line["buttons"]] == ["undo"]


def test_a_failure_is_named():
    line = activity(trains(settled=False, training=RUNNING, error="It diverged."), "training")
    assert (line["tone"], line["text"]) == ("failed", "It diverged.")


def test_after_the_end_the_cost_is_named():
    report = SimpleNamespace(training=COST)
    line = activity(trains(training=OVER, report=report), "training")  # after an interruption
    assert line["text"] == "The steps took 17 s, at 7,400 examples per second."
    measured = replace(OVER, elapsed=20.1)
    line = activity(trains(training=measured, report=report), "training")
    assert line["text"].startswith("The steps took 17 of 20 s, at 7,400 examples per second;")
    line = activity(trains(report=report), "training")  # from the cache
    assert line["text"].startswith("This recipe was trained before: 1,170 steps in 17 s.")
    assert activity(trains(report=SimpleNamespace(training=None)), "training") is None


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (Train(1170), ["steps", "learning_rate", "patience", None]),
        (Train(1170, patience=5), ["steps", "learning_rate", None]),
        (Train(1170, start="scratch", patience=5), ["steps", "learning_rate"]),
    ],
)
def test_a_training_that_made_the_file_worse_says_what_to_try(settings, changes):
    def score(value):
        return Score("accuracy", value, value, value, 5000, 5000, {})

    progress = TrainingProgress(settings, step=1170, over=True)
    progress = replace(progress, course=((0, score(0.7)), (9, score(0.8))))
    state = trains(settings, report=SimpleNamespace(training=COST))
    state.training = progress.measured(score(0.6), elapsed=20.1)
    buttons = activity(state, "training")["buttons"]
    assert [button.get("change") for button in buttons] == changes
    for change in filter(None, changes):
        assert CHANGES[change](settings) != settings
    state.training = progress.measured(score(0.9))
    assert "buttons" not in activity(state, "training")
