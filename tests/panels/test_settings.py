"""The goal and the hint of the settings column."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, RMSE, metric_named
from workbench.panels import goal, hint
from workbench.plots import points
from workbench.recipe import Prune, Quantize, Recipe, Train
from workbench.session.records import Visit

NAME = "fashion/lenet5"
HALF, SMALL = Recipe(Prune(0.5)), Recipe(Prune(0.8), Quantize(4))
TRAINED = replace(SMALL, train=Train(1))


def session(recipe=SMALL, report=None, visited=(), budget=None, floor=None, **more):
    return SimpleNamespace(
        origin=NAME,
        origin_model=wb.model(NAME),
        store=None,  # results of the presets of built-in models are in the package
        model=wb.model(NAME),
        student=None,
        recipe=recipe,
        report=report,
        visited=visited,
        budget=budget,
        floor=floor,
        **{"lost_training": None, **more},
    )


def report(recipe, size, value):
    return SimpleNamespace(
        recipe=recipe,
        size=SimpleNamespace(bytes=size, original_bytes=size),
        score=SimpleNamespace(value=value),
    )


VISITED = (
    Visit(Recipe(), 1_724_887, 0.916, NAME),
    Visit(HALF, 1_000_000, 0.915, NAME),
    Visit(SMALL, 90_000, 0.90, NAME),
)


def test_the_answer_to_a_limit_that_is_not_allowed_names_what_is():
    share, error, custom = ACCURACY, RMSE, metric_named("profit")
    assert goal.bounds(share)["floor"] | {"text": ""} == {"above": 0, "most": 100, "text": ""}
    assert "above 0 and at most 100" in goal.bounds(share)["floor"]["text"]
    assert "root mean squared error must be a number above 0" in goal.floor_text(error)
    assert goal.limit(-5, *goal.floor_bounds(custom), "") == -5.0  # may be negative
    with raises("session.invalid_limit", "profit"):
        goal.limit("x", *goal.floor_bounds(custom), goal.floor_text(custom))


@pytest.fixture
def visited_only(monkeypatch):
    """Leave presets and students out of the results."""
    monkeypatch.setattr(goal, "landmarks", lambda _session: [])


@pytest.mark.usefixtures("visited_only")
@pytest.mark.parametrize(
    ("budget", "floor", "expected"),
    [
        (None, None, ""),
        (100_000, None, "1 of 2 results meet the goal"),
        (None, 0.9, "2 of 2 results meet the goal"),
        (2_000_000, 0.91, "1 of 2 results meet the goal"),
        (90_000, 0.9, "1 of 2 results meet the goal"),
        (1, None, "0 of 2 results meet the goal"),
    ],
)
def test_the_original_model_is_no_result(budget, floor, expected):
    assert goal.text(session(visited=VISITED, budget=budget, floor=floor)) == expected


@pytest.mark.usefixtures("visited_only")
def test_without_results_nothing_is_counted():
    assert goal.text(session(visited=VISITED[:1], budget=1)) == ""


def test_each_point_of_the_picture_is_a_result():
    state = session(visited=VISITED, budget=200_000, floor=0.5)
    presets = points.presets(wb.model(NAME), None)
    assert goal.passing(state)[1] == len(presets) + 2
    met, count = goal.passing(state)
    state.student = student = next(student for student in wb.students() if student.teacher)
    marks = [points.original(wb.model(known.name)) for known in (student, student.alone)]
    more = sum(goal.meets(state, mark.bytes, mark.value) for mark in marks)
    assert more
    assert goal.passing(state) == (met + more, count + 2)
    preset = presets[0]
    known = Visit(Recipe(quantize=Quantize(7)), preset.spot.bytes, preset.spot.value, NAME)
    state.visited = (*VISITED, known)  # the preset itself, visited
    assert goal.passing(state)[1] == count + 2


@pytest.mark.usefixtures("visited_only")
def test_the_current_estimate_counts_once():
    current = report(SMALL, 50_000, 0.9)
    assert goal.passing(session(visited=VISITED[:2], report=current, budget=60_000)) == (1, 2)
    assert goal.passing(session(visited=VISITED, report=current, budget=60_000)) == (0, 2)
    other = report(HALF, 50_000, 0.9)  # of an earlier recipe
    assert goal.passing(session(visited=VISITED[:1], report=other, budget=60_000)) == (0, 0)


def test_a_limit_on_a_loss_is_an_upper_bound():
    model = SimpleNamespace(task=SimpleNamespace(metric=BITS_PER_CHARACTER))
    limited = SimpleNamespace(budget=None, floor=2.0, model=model)
    assert goal.meets(limited, 1, 1.9)
    assert not goal.meets(limited, 1, 2.1)


@pytest.mark.parametrize(
    ("state", "start"),
    [
        (session(Recipe()), "Drag sparsity"),
        (session(HALF), "Now lower the bits"),
        (session(SMALL), "Move the temperature"),
        (session(SMALL, report(SMALL, 90_000, 0.80)), "That was too much"),
        (session(SMALL, report(HALF, 90_000, 0.80)), "Move the temperature"),
        (session(SMALL, report(SMALL, 90_000, 0.90), floor=0.89), "This file meets the goal"),
        (session(SMALL, report(TRAINED, 90_000, 0.80)), "Move the temperature"),
        (session(TRAINED, report(TRAINED, 90_000, 0.80)), "That was too much: move back a little."),
    ],
)
def test_the_hint_depends_on_the_state(state, start):
    assert hint.hint(state).startswith(start)


@pytest.mark.parametrize(
    ("budget", "floor", "expected"),
    [
        (100_000, 0.89, "This file meets the goal: download it, or try a smaller one."),
        (100_000, 0.91, "Small enough, but not accurate enough: prune less, or use more bits."),
        (None, 0.91, "Not accurate enough: prune less, or use more bits."),
        (
            80_000,
            0.89,
            "Accurate enough, but too large: prune more, lower the bits, or move the temperature.",
        ),
        (
            100_000,
            0.95,
            (
                "Not even the original model is accurate enough: "
                "fine-tune on the Train page, or choose another model."
            ),
        ),
        (80_000, None, "Too large: prune more, lower the bits, or move the temperature."),
        (
            80_000,
            0.91,
            (
                "Too large, and not accurate enough: "
                "prune more and then fine-tune on the Train page, or move the temperature."
            ),
        ),
    ],
)
def test_the_hint_says_what_is_missing_to_the_goal(budget, floor, expected):
    state = session(SMALL, report(SMALL, 90_000, 0.90), budget=budget, floor=floor)
    assert hint.hint(state) == expected


def test_the_hint_to_the_goal_offers_only_what_can_be_done():
    student = session(SMALL, report(SMALL, 90_000, 0.90), budget=80_000)
    student.student = wb.students()[0]
    assert hint.hint(student) == "Too large: prune more, or lower the bits."
    student.floor = 0.91
    assert hint.hint(student).endswith("fine-tune on the Train page, or choose another student.")
    student.recipe, student.report = Recipe(), report(Recipe(), 70_000, 0.90)
    assert hint.hint(student) == (  # there is nothing to prune less
        "Small enough, but not accurate enough: fine-tune on the Train page, or choose another "
        "student."
    )
    other = session(SMALL, report(SMALL, 90_000, 0.70), budget=80_000, floor=0.8)
    other.origin_model = other.model = wb.model("reviews/bag")
    assert hint.hint(other).endswith("fine-tune on the Train page, or choose another model.")


def test_the_hint_of_a_student():
    state = session(Recipe())
    state.student = wb.students()[0]
    assert "student" in hint.hint(state)
    state.recipe = SMALL
    assert hint.hint(state).startswith("Set a goal")
    state.budget = 1000  # set, but nothing is measured yet
    assert hint.hint(state).startswith("Open")


def limits(chart):
    notes = (note["text"] for note in chart["figure"]["layout"]["annotations"])
    return [text for text in notes if text.startswith("goal ")]


def test_limits_are_shaded_and_invalid_ones_change_nothing(client):
    client.act("budget", value=50_000)
    client.act("floor", value=0.85)
    assert (client.session.budget, client.session.floor) == (50_000, 0.85)
    client.wait("chart", lambda chart: len(limits(chart)) == 2)
    for invalid in (-5, 0, "x", float("nan"), float("inf"), True):
        client.act("budget", value=invalid)
        assert "above 0" in client.last("banner")["text"]
        client.act("floor", value=invalid)
        assert "at most 100" in client.last("banner")["text"]
        assert (client.session.budget, client.session.floor) == (50_000, 0.85)
    client.act("budget", value=None)
    client.act("floor", value=None)
    assert (client.session.budget, client.session.floor) == (None, None)


@pytest.mark.slow
def test_one_button_trains_again_after_a_change(client):
    client.session.set(Recipe(Prune(0.5), train=Train(1, threads=1)))
    client.wait_until_idle()
    assert not client.last("state")["settings"]["can_train_again"]
    client.session.set(Recipe(Prune(0.6)))
    client.wait("state", lambda state: state["settings"]["can_train_again"])
    client.act("repeat_training")
    client.wait_until_idle()
    assert client.session.recipe == Recipe(Prune(0.6), train=Train(1, threads=1))
    assert client.session.settled
