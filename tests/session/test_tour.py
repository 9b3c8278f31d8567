"""A guided tour changes nothing for good."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.zoo.students import students

SMALL, CONV = "fashion/lenet-300-100", "fashion/lenet5"
OWN, TRIED = (wb.Recipe(prune=wb.Prune(sparsity)) for sparsity in (0.2, 0.9))


@pytest.fixture
def touring(session):
    """Return a session with an own recipe and limits, in which a tour has begun."""
    session.set(OWN)
    session.set_budget(50_000)
    session.begin_tour()
    session.set_budget(100_000)
    session.set_floor(0.5)
    return session


def limits(session):
    return session.budget, session.floor


def test_the_end_of_a_tour_restores_recipe_limits_and_history(touring):
    for sparsity in (0.5, 0.7):
        touring.set(wb.Recipe(prune=wb.Prune(sparsity)), gesture=1, moving=True)
    touring.set(TRIED)
    touring.begin_tour()  # nothing: it has begun
    touring.end_tour()
    assert (touring.recipe, limits(touring), touring.trail) == (OWN, (50_000, None), ())
    touring.undo()  # the only step of the tour
    assert touring.recipe == TRIED
    touring.undo()  # the limit that was set before the tour
    assert (touring.recipe, limits(touring)) == (OWN, (None, None))
    touring.undo()
    assert touring.recipe == wb.Recipe()
    assert not touring.can_undo


def test_a_tour_that_ends_where_it_began_is_no_step(touring):
    touring.undo()
    touring.redo()
    touring.end_tour()
    assert (touring.recipe, limits(touring)) == (OWN, (50_000, None))
    for recipe in (OWN, wb.Recipe()):  # without the limit, and without the recipe
        touring.undo()
        assert (touring.recipe, limits(touring)) == (recipe, (None, None))
    assert not touring.can_undo


def test_a_tour_ends_with_the_model_before_a_student(touring):
    student = next(student for student in students() if student.teacher)
    touring.choose_model(CONV)
    touring.begin_tour()
    touring.distill(student)
    touring.end_tour()
    assert (touring.model.name, touring.student, touring.recipe) == (CONV, None, OWN)


@pytest.mark.parametrize(("leave", "budget"), [("choose_model", None), ("forget_model", 50_000)])
def test_choosing_or_dropping_a_model_ends_a_tour(touring, leave, budget):
    touring.set(TRIED)
    getattr(touring, leave)(CONV)
    assert (touring.recipe, limits(touring)) == (OWN, (budget, None))
    touring.set(TRIED)
    touring.end_tour()  # nothing: there is none
    assert touring.recipe == TRIED


def test_a_link_ends_a_tour_without_restoring(touring):
    touring.restore(f"m={CONV}")
    touring.end_tour()
    assert (touring.model.name, touring.recipe, touring.can_undo) == (CONV, wb.Recipe(), False)


def test_the_end_of_a_tour_says_what_came_back(touring):
    touring.set(TRIED)
    touring.end_tour()
    assert "your previous recipe and goal are restored" in touring.note
    touring.set(TRIED)
    assert touring.note is None


def test_the_end_of_a_tour_that_changed_nothing_says_nothing(session):
    session.set(OWN)
    session.begin_tour()
    session.end_tour()
    assert session.note is None
