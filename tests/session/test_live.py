"""The newest recipe wins, known ones are answered at once, and a failure is not the end."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.errors import RecipeError
from workbench.evaluation.measure import measure
from workbench.session import Session

SMALL = "fashion/lenet-300-100"


def pruned(sparsity):
    return wb.Recipe(prune=wb.Prune(sparsity=sparsity))


def test_figures_come_one_after_the_other(session, until):
    seen = []
    session.subscribe(lambda s: seen.append((s.report.recipe, s.report.examples, s.busy)))
    session.set(pruned(0.5))
    until(session, lambda: not seen[-1][2])
    of_new = [(examples, busy) for recipe, examples, busy in seen if recipe == pruned(0.5)]
    assert of_new == [(None, True), (400, True), (5000, False)]


def test_set_returns_while_measuring_goes_on(session, stage, until):
    stage.gate.clear()
    session.set(pruned(0.5))
    assert session.busy
    assert session.recipe == pruned(0.5)
    until(session, lambda: session.report.recipe == pruned(0.5))
    assert session.report.accuracy is None
    stage.gate.set()
    until(session, lambda: not session.busy)
    assert session.report.exact


def test_the_newest_of_a_hundred_wins(session, stage, until):
    stage.gate.clear()
    session.set(pruned(0.5))
    stage.until(lambda: len(stage.begun) == 1)
    for k in range(100):
        session.set(pruned(k / 200))
    assert session.recipe == pruned(99 / 200)
    stage.gate.set()
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(99 / 200)
    assert session.report.exact
    # The gate was shut all the while: what began before the last was given up.
    assert stage.ended.count("done") == 1
    assert stage.begun[-1] == (SMALL, pruned(99 / 200))


def test_events_that_come_while_the_worker_is_held_start_nothing(session, stage, until):
    """One hundred events under the lock are one evaluation: nobody sees those in between."""
    with session._present.lock:
        for k in range(100):
            session.set(pruned(k / 200))
    until(session, lambda: not session.busy)
    assert stage.begun == [(SMALL, pruned(99 / 200))]


def test_a_known_recipe_is_answered_at_once(session, stage, until):
    session.set(pruned(0.5))
    until(session, lambda: not session.busy)
    session.set(pruned(0.6))
    until(session, lambda: not session.busy)
    begun = len(stage.begun)
    session.set(pruned(0.5))
    assert session.report.exact
    assert session.report.recipe == pruned(0.5)
    assert not session.busy
    assert len(stage.begun) == begun


def test_a_known_recipe_is_answered_while_another_is_measured(session, stage):
    stage.gate.clear()
    session.set(pruned(0.9))
    stage.until(lambda: stage.begun)
    session.set(wb.Recipe())
    assert session.report.exact
    assert session.report.recipe == wb.Recipe()
    assert not session.busy
    stage.until(lambda: stage.ended == ["cancelled"])
    assert session.report.recipe == wb.Recipe()


def test_the_same_recipe_again_changes_nothing(session, stage):
    told = []
    session.subscribe(told.append)
    session.set(session.recipe)
    assert not told
    assert not stage.begun
    assert not session.can_undo


def test_a_recipe_whose_size_is_known_shows_it_at_once(session, stage, until):
    stage.gate.clear()
    session.set(pruned(0.5))
    until(session, lambda: session.report.recipe == pruned(0.5))
    session.set(pruned(0.6))
    session.set(pruned(0.5))
    assert session.report.recipe == pruned(0.5)
    assert session.report.accuracy is None
    assert session.busy


def test_cancel_keeps_the_last_figures_and_marks_them(session, stage):
    stage.gate.clear()
    session.set(pruned(0.5))
    stage.until(lambda: stage.begun)
    session.cancel()
    assert not session.busy
    assert session.stale
    stage.until(lambda: stage.ended == ["cancelled"])
    assert session.error is None
    assert session.report is not None


def test_cancel_with_nothing_to_cancel(session):
    session.cancel()
    assert not session.stale
    assert session.report.exact


def test_measuring_again_after_a_cancel(session, stage, until):
    stage.gate.clear()
    session.set(pruned(0.5))
    session.cancel()
    stage.gate.set()
    session.measure_again()
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(0.5)
    assert not session.stale


def test_setting_the_same_again_after_a_cancel_measures_it(session, stage, until):
    stage.gate.clear()
    session.set(pruned(0.5))
    session.cancel()
    stage.gate.set()
    session.set(pruned(0.5))
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(0.5)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (RecipeError("fc1.weight holds 70000, more than fp16 can: choose bf16."), "more than fp16"),
        (MemoryError("no room"), "Measuring failed: no room"),
        (ZeroDivisionError("division"), "Measuring failed: division"),
    ],
)
def test_a_failure_is_a_sentence_and_not_the_end(session, stage, until, failure, sentence):
    before = session.report
    stage.failure = failure
    session.set(pruned(0.5))
    until(session, lambda: session.error is not None)
    assert sentence in session.error
    assert not session.busy
    assert session.stale
    assert session.report == before
    stage.failure = None
    session.set(pruned(0.6))
    assert session.error is None
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(0.6)
    assert not session.stale


def test_an_observer_that_fails_stops_nobody(session, until):
    told = []

    def fail(_):
        raise RuntimeError("the page has gone")

    session.subscribe(fail)
    session.subscribe(lambda s: told.append(s.busy))
    session.set(pruned(0.5))
    until(session, lambda: told[-1] is False)
    session.set(pruned(0.6))
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(0.6)


def test_observers_stop_when_asked(session):
    told = []
    stop = session.subscribe(told.append)
    session.set_budget(5)
    stop()
    stop()
    session.set_budget(6)
    assert len(told) == 1


def test_close_stops_the_worker(session, stage):
    stage.gate.clear()
    session.set(pruned(0.5))
    stage.until(lambda: stage.begun)
    worker = session._worker.thread
    session.close()
    assert not worker.is_alive()
    assert stage.ended == ["cancelled"]
    session.close()


def test_a_closed_session_measures_nothing(session, stage):
    session.close()
    session.set(pruned(0.5))
    assert not stage.begun


def test_two_sessions_are_two_persons(session, stage, open_session, until):
    other = open_session("fashion/lenet5", pruned(0.3))
    until(other, lambda: not other.busy)
    stage.gate.clear()
    session.set(pruned(0.5))
    other.set(pruned(0.7))
    session.cancel()
    assert other.busy
    stage.gate.set()
    until(other, lambda: not other.busy)
    assert other.report.recipe == pruned(0.7)
    assert (session.model.name, other.model.name) == (SMALL, "fashion/lenet5")
    assert {visit.recipe for visit in other.visited} == {pruned(0.3), pruned(0.7)}
    assert {visit.recipe for visit in session.visited} == {wb.Recipe()}


def test_what_one_person_measured_the_other_knows(session, open_session, until):
    session.set(pruned(0.5))
    until(session, lambda: not session.busy)
    other = open_session(SMALL)
    other.set(pruned(0.5))
    assert other.report.exact


def test_warming_up_is_given_up_for_a_request(stage, open_session, until):
    made = open_session(SMALL)
    until(made, lambda: not made.busy)
    again = open_session(SMALL)
    assert again._worker.thread is None
    stage.gate.clear()
    stage.begun.clear()
    again.warm_up()
    stage.until(lambda: stage.begun)
    again.set(pruned(0.4))
    stage.until(lambda: len(stage.begun) == 2)
    assert stage.begun[-1] == (SMALL, pruned(0.4))
    stage.gate.set()
    until(again, lambda: not again.busy)


def test_a_warm_up_that_fails_is_told_when_it_matters(stage, open_session, until):
    made = open_session(SMALL)
    until(made, lambda: not made.busy)
    again = open_session(SMALL)
    stage.failure = OSError("no torch")
    stage.begun.clear()
    again.warm_up()
    stage.until(lambda: stage.begun)
    again.set(pruned(0.4))
    until(again, lambda: again.error is not None)
    assert "no torch" in again.error


def test_many_threads_may_use_one_session(session, until):
    def drag(who):
        for k in range(20):
            session.set(pruned((20 * who + k) / 100))

    workers = [threading.Thread(target=drag, args=(who,)) for who in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    until(session, lambda: not session.busy)
    assert session.report.recipe == session.recipe
    assert session.report.exact


ASK = """
import sys
from pathlib import Path
from workbench.cache.results import Store
from workbench.session import Session

session = Session(sys.argv[1], store=Store(Path(sys.argv[2])))
assert session.report.exact and not session.busy
assert session._worker.thread is None
assert "torch" not in sys.modules
session.close()
"""


def test_a_known_start_needs_no_torch(tmp_path):
    store = ResultCache(tmp_path)
    measure(wb.model(SMALL), timed=False, store=store)
    store.close()
    subprocess.run([sys.executable, "-c", ASK, SMALL, str(tmp_path)], check=True)


def test_the_real_thing(until):
    """No stand-in: a real model is measured, saved, and measured on the test split."""
    session = Session(SMALL, pruned(0.8), store=ResultCache())
    until(session, lambda: not session.busy)
    artifact = session.artifact()
    assert len(artifact.to_bytes()) == session.report.bytes
    assert artifact.digest == session.report.digest
    test = session.test_report(artifact)
    assert test.exact
    assert (test.split, test.total, test.recipe) == ("test", 10000, pruned(0.8))
    session.close()
