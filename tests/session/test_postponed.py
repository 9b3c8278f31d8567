"""A visitor who only looks: the original is measured when something needs it."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.session import worker

SMALL = "fashion/lenet-300-100"
PRUNED = wb.Recipe(prune=wb.Prune(0.5))


@pytest.fixture
def looking(fake, open_session):
    return open_session(SMALL, postpone=True)


def test_nothing_is_measured_at_first(fake, looking):
    assert looking.postponed
    assert not looking.busy
    assert looking._worker.thread is None
    looking.choose_model("fashion/mlp-32")
    looking.restore(f"m={SMALL}")
    assert looking.postponed
    assert fake.started == []


def test_the_original_is_measured_on_request(fake, looking, until):
    looking.measure_again()
    assert not looking.postponed
    until(looking, lambda: looking.settled)
    assert fake.started[-1] == (SMALL, wb.Recipe())


def test_after_the_first_change_the_original_is_measured_as_any_recipe(fake, looking, until):
    looking.set(PRUNED)
    until(looking, lambda: looking.settled)
    looking.undo()
    assert not looking.postponed
    until(looking, lambda: looking.settled)
    assert looking.report.recipe == wb.Recipe()


def test_a_known_original_is_not_postponed(fake, looking, open_session, until):
    looking.measure_again()
    until(looking, lambda: looking.settled)
    again = open_session(SMALL, postpone=True)
    assert not again.postponed
    assert again.report.exact


def test_a_session_measures_its_original_by_default(fake, open_session, until):
    session = open_session(SMALL)
    until(session, lambda: session.settled)
    assert fake.started[-1] == (SMALL, wb.Recipe())


def test_after_a_rest_free_memory_is_returned_once(monkeypatch, fake, open_session, until):
    returned = []
    monkeypatch.setattr(worker, "REST", 0.01)
    monkeypatch.setattr(worker, "return_free_memory", lambda: fake._note(returned, "memory"))
    session = open_session(SMALL)
    fake.until(lambda: returned)
    session.set(PRUNED)
    until(session, lambda: session.settled)
    fake.until(lambda: len(returned) == 2)
