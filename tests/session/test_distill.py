"""A shipped student takes the place of the model that the user chose."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.errors import Cancelled
from workbench.recipe.presets import PRESETS
from workbench.session import worker
from workbench.zoo.students import Student

ORIGIN = "fashion/lenet-300-100"
STUDENT = Student("fashion/mlp-32", "fashion/resnet", 4.0, 0.01)
PRUNED = wb.Recipe(wb.Prune(0.5))
WAIT = 60  # seconds until a test fails


def state(session):
    return session.model.name, session.recipe, session.origin


def test_the_student_is_compressed_and_the_origin_stays(session):
    session.set(PRUNED)
    assert session.student is None
    session.distill(STUDENT)
    assert state(session) == (STUDENT.name, PRUNED, ORIGIN)
    assert session.student == STUDENT
    assert session.origin_model.name == ORIGIN
    session.set(wb.Recipe())
    assert state(session) == (STUDENT.name, wb.Recipe(), ORIGIN)
    session.distill(None)
    assert state(session) == (ORIGIN, wb.Recipe(), ORIGIN)


def test_a_student_has_the_goal_of_its_model(session):
    session.set_budget(1000)
    session.distill(STUDENT)
    assert session.budget == 1000
    session.distill(None)
    assert session.budget == 1000


def test_undo_and_redo_restore_student_and_origin(session):
    session.distill(STUDENT)
    session.choose_model("fashion/lenet5")
    assert state(session) == ("fashion/lenet5", wb.Recipe(), "fashion/lenet5")
    session.undo()
    assert state(session) == (STUDENT.name, wb.Recipe(), ORIGIN)
    assert session.origin_model.name == ORIGIN
    session.undo()
    assert state(session) == (ORIGIN, wb.Recipe(), ORIGIN)
    session.redo()
    assert session.student == STUDENT


def test_a_student_and_a_recipe_are_one_step(session):
    session.distill(STUDENT, PRUNED)
    session.undo()
    assert state(session) == (ORIGIN, wb.Recipe(), ORIGIN)


def test_settings_of_layers_that_the_student_lacks_are_dropped(session):
    session.set(wb.Recipe(wb.Prune(0.5, layers={"fc3.weight": 0.1})))
    session.distill(STUDENT)
    assert session.recipe == PRUNED


def test_a_student_is_not_trained_again_by_the_recipe_of_the_model(session):
    session.distill(STUDENT, None)
    session.distill(None)
    session.set(wb.Recipe(wb.Prune(0.5), wb.Train(1)))
    session.distill(STUDENT)
    assert session.recipe == PRUNED


def test_reset_selects_the_origin(session):
    session.distill(STUDENT, PRUNED)
    session.reset()
    assert state(session) == (ORIGIN, wb.Recipe(), ORIGIN)
    assert session.student is None
    session.undo()
    assert state(session) == (STUDENT.name, PRUNED, ORIGIN)


def test_a_preset_selects_the_origin_to_which_its_circle_belongs(session):
    preset = PRESETS[0]
    session.distill(STUDENT, PRUNED)
    session.preset(preset.name)
    assert state(session) == (ORIGIN, preset.recipe, ORIGIN)
    session.undo()
    assert state(session) == (STUDENT.name, PRUNED, ORIGIN)


def test_results_of_students_are_visited_with_those_of_the_model(session, until):
    until(session, lambda: session.settled)
    session.distill(STUDENT)
    until(session, lambda: session.settled)
    session.set(PRUNED)
    until(session, lambda: session.settled)
    visits = [(visit.model, visit.recipe) for visit in session.visited]
    assert visits == [(ORIGIN, wb.Recipe()), (STUDENT.name, wb.Recipe()), (STUDENT.name, PRUNED)]
    session.distill(None)
    assert [(visit.model, visit.recipe) for visit in session.visited][:3] == visits
    session.visit(session.visited[1])
    assert state(session) == (STUDENT.name, wb.Recipe(), ORIGIN)
    session.visit(session.visited[0])
    assert state(session) == (ORIGIN, wb.Recipe(), ORIGIN)


def test_a_link_holds_the_origin(session, open_session):
    session.distill(STUDENT, PRUNED)
    query = session.query()
    assert f"origin={ORIGIN}" in query
    other = open_session("fashion/lenet5")
    other.restore(query)
    assert state(other) == (STUDENT.name, PRUNED, ORIGIN)
    session.distill(None)
    assert "origin" not in session.query()


def test_without_an_origin_a_student_is_compared_with_its_network(fake, open_session):
    session = open_session(STUDENT.name)
    assert (session.origin, session.student) == (STUDENT.network, STUDENT)
    session.distill(None)
    assert session.model.name == STUDENT.network


@pytest.mark.parametrize(
    "query",
    [
        f"m={STUDENT.name}&origin=reviews/bag",  # another task
        "m=fashion/lenet5&origin=fashion/resnet",  # not a student
    ],
)
def test_an_origin_without_a_student_is_refused(session, query):
    with raises("session.invalid_origin", "origin"):
        session.restore(query)
    with raises("name.unknown"):
        session.restore(f"m={STUDENT.name}&origin=nobody")


def test_a_model_of_another_task_has_no_students(fake, open_session):
    session = open_session("reviews/bag")
    with raises("session.invalid_origin"):
        session.distill(STUDENT)


def test_only_a_student_can_be_trained_again(session):
    with raises("session.no_student"):
        session.repeat_student()


def test_a_repetition_that_was_replaced_does_not_end_the_newer_one(session, monkeypatch):
    begun, finish = threading.Event(), threading.Event()
    newer = threading.Thread(target=session.repeat_student)

    def train(_student, *, on_step, cancel):
        if threading.current_thread() is newer:
            begun.set()
            finish.wait(WAIT)
            return SimpleNamespace(summary="The same bytes.")
        newer.start()
        assert begun.wait(WAIT)
        raise Cancelled("Training was stopped.")

    monkeypatch.setattr("workbench.experiments.train_student.train_student", train)
    session.distill(STUDENT)
    with pytest.raises(Cancelled):
        session.repeat_student()
    assert session.repeating
    finish.set()
    newer.join()
    assert (session.repeating, session.repeat_result) == (False, "The same bytes.")


def test_the_recent_student_is_the_nearest_in_the_history(session):
    other = Student("fashion/cnn-10k", "fashion/lenet5", 8.0)
    assert session.recent_student is None
    session.distill(STUDENT)
    session.distill(other)
    session.distill(None)
    assert session.recent_student == other
    session.undo()
    session.undo()
    assert session.recent_student == session.student == STUDENT
    session.undo()
    assert session.recent_student == other  # the newest of the undone ones


def test_a_model_that_is_not_compressed_is_never_estimated(session, fake, until):
    until(session, lambda: session.settled)
    fake.gate.clear()
    session.distill(STUDENT)
    seen = []
    session.subscribe(lambda s: seen.append(s.report))
    fake.until(lambda: (STUDENT.name, wb.Recipe()) in fake.started)
    fake.gate.set()
    until(session, lambda: session.settled)
    assert all(report is None or report.exact for report in seen)
    fake.gate.clear()
    session.set(PRUNED)
    session.undo()
    assert session.report.exact
    fake.gate.set()


def test_students_that_a_drag_passes_are_not_measured(fake, session, until, monkeypatch):
    until(session, lambda: session.settled)
    fake.started.clear()
    monkeypatch.setattr(worker, "SETTLE", 60)
    passed = [replace(STUDENT, temperature=t) for t in (1.0, 2.0, 8.0)]
    for student in passed:
        session.distill(student)
        assert session.busy
    monkeypatch.setattr(worker, "SETTLE", 0)
    session.distill(STUDENT)
    until(session, lambda: session.settled)
    assert fake.started == [(STUDENT.name, wb.Recipe())]
