"""Longer jobs while the user goes on: another recipe leaves them, another model ends them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.session.choosing import Demand

OTHER_RECIPE = wb.Recipe(quantize=wb.Quantize(4))
pytestmark = pytest.mark.slow


def when(session, happens, act):
    """Call `act` the first time that `happens()` holds after a change."""
    done = []

    def observe(_session):
        if happens() and not done:
            done.append(True)
            act()

    session.subscribe(observe)


def test_a_search_goes_on_while_a_recipe_is_opened(session):
    def found():
        return session.choosing is not None and session.choosing.recommendation is not None

    when(session, found, lambda: session.set(OTHER_RECIPE))
    session.choose(Demand(20_000, 0.8, 2))
    assert session.recipe == OTHER_RECIPE
    assert session.choosing.state == "done"


def test_a_search_ends_with_another_model(session, monkeypatch):
    monkeypatch.setenv("WORKBENCH_BUDGET", "60")  # long enough for a result before the last one

    def found():
        return session.choosing is not None and session.choosing.recommendation is not None

    when(session, found, lambda: session.choose_model("fashion/mlp-32"))
    with pytest.raises(Cancelled):
        session.choose(Demand(20_000, 0.8, 60))
    assert session.choosing is None


def test_a_scan_goes_on_while_a_recipe_is_opened(session):
    when(session, lambda: session.sensitivity is not None, lambda: session.set(OTHER_RECIPE))
    session.scan("quantize")
    assert session.recipe == OTHER_RECIPE
    assert session.sensitivity.completed == 1


def test_a_run_in_the_runtimes_goes_on_while_a_recipe_is_opened(session):
    before = session.recipe
    when(session, lambda: session.deploying is not None, lambda: session.set(OTHER_RECIPE))
    session.deploy()
    assert session.recipe == OTHER_RECIPE
    assert session.deploying.recipe == before
    assert not session.deploying.running


def test_the_latency_can_be_cancelled_while_its_file_is_created(session, monkeypatch):
    token = CancelToken()

    def create(_model, _recipe, *, cancel):
        token.cancel()
        cancel.check()

    monkeypatch.setattr("workbench.training.compress.compress", create)
    with pytest.raises(Cancelled):
        session.measure_latency(token)


def test_a_latency_belongs_to_the_recipe_whose_file_was_timed(session, monkeypatch):
    from workbench.training.compress import compress

    def create(model, recipe, *, cancel):
        artifact = compress(model, recipe, cancel=cancel)
        session.set(OTHER_RECIPE)
        return artifact

    monkeypatch.setattr("workbench.training.compress.compress", create)
    session.measure_latency()
    assert session.timing is None
    session.undo()
    assert session.timing is not None


def test_temperatures_of_another_model_are_not_shown(session, monkeypatch):
    def sweep(_model, _settings, *, seconds, cancel):
        session.choose_model("fashion/mlp-32")
        yield SimpleNamespace(students=1, outcomes=(), completed=0.5)

    monkeypatch.setattr("workbench.experiments.temperatures.sweep", sweep)
    with pytest.raises(Cancelled):
        session.sweep(wb.Train(teacher="self", steps=1), None)
    assert (session.sweep_result, session.sweep_progress) == (None, None)


def test_the_teacher_of_another_model_is_not_shown(session, monkeypatch):
    def predict(_model, _teacher):
        session.choose_model("fashion/mlp-32")
        return ["prediction"]

    monkeypatch.setattr("workbench.training.teacher_predictions.teacher_predictions", predict)
    session.query_teacher("fashion/resnet", 2.0)
    assert session.teacher_query is None
