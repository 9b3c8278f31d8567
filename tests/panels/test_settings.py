"""The goal, the hint and the tour of the settings column."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.domain.metric import BITS_PER_CHARACTER
from workbench.panels import goal, hint, tour
from workbench.recipe import Prune, Quantize, Recipe
from workbench.session.records import Visit

NAME = "fashion/lenet5"
HALF, SMALL = Recipe(Prune(0.5)), Recipe(Prune(0.8), Quantize(4))


def session(recipe=SMALL, report=None, visited=(), budget=None, floor=None, **more):
    return SimpleNamespace(
        origin=NAME,
        origin_model=wb.model(NAME),
        model=wb.model(NAME),
        student=None,
        recipe=recipe,
        report=report,
        visited=visited,
        budget=budget,
        floor=floor,
        **more,
    )


def report(recipe, size, value):
    return SimpleNamespace(
        recipe=recipe, size=SimpleNamespace(bytes=size), score=SimpleNamespace(value=value)
    )


VISITED = (
    Visit(Recipe(), 1_724_887, 0.916, NAME),
    Visit(HALF, 1_000_000, 0.915, NAME),
    Visit(SMALL, 90_000, 0.90, NAME),
)


@pytest.mark.parametrize(
    ("budget", "floor", "expected"),
    [
        (None, None, ""),
        (100_000, None, "1 of 2 pass"),
        (None, 0.9, "2 of 2 pass"),
        (2_000_000, 0.91, "1 of 2 pass"),
        (90_000, 0.9, "1 of 2 pass"),
        (1, None, "0 of 2 pass"),
    ],
)
def test_the_original_model_is_no_result(budget, floor, expected):
    assert goal.text(session(visited=VISITED, budget=budget, floor=floor)) == expected


def test_without_results_nothing_is_counted():
    assert goal.text(session(visited=VISITED[:1], budget=1)) == ""


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
        (session(SMALL, report(SMALL, 90_000, 0.90), floor=0.91), "Not there yet"),
    ],
)
def test_the_hint_depends_on_the_state(state, start):
    assert hint.hint(state).startswith(start)


def test_the_hint_of_a_student():
    state = session(Recipe())
    state.student = wb.students()[0]
    assert "student" in hint.hint(state)
    state.recipe = SMALL
    assert hint.hint(state).startswith("Set a goal")
    state.budget = 1000  # set, but nothing is measured yet
    assert hint.hint(state).startswith("Open")


def test_the_tour_has_six_steps_where_there_are_students():
    steps = tour.describe(session())["steps"]
    assert len(steps) == 6
    assert all(step["text"].endswith(".") for step in steps)
    other = session()
    other.origin_model = wb.model("reviews/bag")
    assert len(tour.describe(other)["steps"]) == 5
