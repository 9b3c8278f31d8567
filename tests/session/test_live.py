"""The newest recipe wins, cached ones are answered at once, and failures are recoverable."""

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


def test_results_arrive_in_order(session, until):
    seen = []
    session.subscribe(lambda s: seen.append((s.report.recipe, s.report.examples, s.busy)))
    session.set(pruned(0.5))
    until(session, lambda: not seen[-1][2])
    of_recipe = [(examples, busy) for recipe, examples, busy in seen if recipe == pruned(0.5)]
    assert of_recipe == [(None, True), (400, True), (5000, False)]


def test_set_returns_before_measuring_ends(session, fake, until):
    fake.gate.clear()
    session.set(pruned(0.5))
    assert session.busy
    assert session.recipe == pruned(0.5)
    until(session, lambda: session.report.recipe == pruned(0.5))
    assert session.report.accuracy is None
    fake.gate.set()
    until(session, lambda: not session.busy)
    assert session.report.exact


def test_the_newest_of_a_hundred_wins(session, fake, until):
    fake.gate.clear()
    session.set(pruned(0.5))
    fake.until(lambda: len(fake.started) == 1)
    for k in range(100):
        session.set(pruned(k / 200))
    assert session.recipe == pruned(99 / 200)
    fake.gate.set()
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(99 / 200)
    assert session.report.exact
    # The gate was closed: all requests before the last were cancelled.
    assert fake.ended.count("done") == 1
    assert fake.started[-1] == (SMALL, pruned(99 / 200))


def test_events_while_the_lock_is_held_start_one_evaluation(session, fake, until):
    """The worker cannot see the intermediate events."""
    with session._state.lock:
        for k in range(100):
            session.set(pruned(k / 200))
    until(session, lambda: not session.busy)
    assert fake.started == [(SMALL, pruned(99 / 200))]


def test_a_cached_recipe_is_answered_at_once(session, fake, until):
    session.set(pruned(0.5))
    until(session, lambda: not session.busy)
    session.set(pruned(0.6))
    until(session, lambda: not session.busy)
    started = len(fake.started)
    session.set(pruned(0.5))
    assert session.report.exact
    assert session.report.recipe == pruned(0.5)
    assert not session.busy
    assert len(fake.started) == started


def test_a_cached_recipe_is_answered_while_another_is_measured(session, fake):
    fake.gate.clear()
    session.set(pruned(0.9))
    fake.until(lambda: fake.started)
    session.set(wb.Recipe())
    assert session.report.exact
    assert session.report.recipe == wb.Recipe()
    assert not session.busy
    fake.until(lambda: fake.ended == ["cancelled"])
    assert session.report.recipe == wb.Recipe()


def test_setting_the_same_recipe_changes_nothing(session, fake):
    notified = []
    session.subscribe(notified.append)
    session.set(session.recipe)
    assert not notified
    assert not fake.started
    assert not session.can_undo


def test_a_cached_size_is_shown_at_once(session, fake, until):
    fake.gate.clear()
    session.set(pruned(0.5))
    until(session, lambda: session.report.recipe == pruned(0.5))
    session.set(pruned(0.6))
    session.set(pruned(0.5))
    assert session.report.recipe == pruned(0.5)
    assert session.report.accuracy is None
    assert session.busy


def test_cancel_keeps_the_last_results_and_marks_them_stale(session, fake):
    fake.gate.clear()
    session.set(pruned(0.5))
    fake.until(lambda: fake.started)
    session.cancel()
    assert not session.busy
    assert session.stale
    fake.until(lambda: fake.ended == ["cancelled"])
    assert session.error is None
    assert session.report is not None


def test_cancel_with_nothing_to_cancel(session):
    session.cancel()
    assert not session.stale
    assert session.report.exact


def test_measuring_again_after_a_cancel(session, fake, until):
    fake.gate.clear()
    session.set(pruned(0.5))
    session.cancel()
    fake.gate.set()
    session.measure_again()
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(0.5)
    assert not session.stale


def test_setting_the_same_recipe_after_a_cancel_measures_it(session, fake, until):
    fake.gate.clear()
    session.set(pruned(0.5))
    session.cancel()
    fake.gate.set()
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
def test_a_failure_is_reported_and_the_session_continues(session, fake, until, failure, sentence):
    before = session.report
    fake.failure = failure
    session.set(pruned(0.5))
    until(session, lambda: session.error is not None)
    assert sentence in session.error
    assert not session.busy
    assert session.stale
    assert session.report == before
    fake.failure = None
    session.set(pruned(0.6))
    assert session.error is None
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(0.6)
    assert not session.stale


def test_a_failure_of_an_outdated_request_is_not_reported(session, fake, until):
    errors = []
    session.subscribe(lambda _: errors.append(session.error))
    fake.gate.clear()
    fake.late_failure = RecipeError("fc1.weight holds NaN.")
    session.set(pruned(0.5))
    fake.until(lambda: fake.started)
    session.cancel()
    fake.until(lambda: fake.ended == ["cancelled"])
    fake.gate.set()
    session.set(pruned(0.6))
    until(session, lambda: not session.busy)
    assert set(errors) == {None}


def test_a_failing_observer_does_not_stop_the_others(session, until):
    notified = []

    def fail(_):
        raise RuntimeError("the page is gone")

    session.subscribe(fail)
    session.subscribe(lambda s: notified.append(s.busy))
    session.set(pruned(0.5))
    until(session, lambda: notified[-1] is False)
    session.set(pruned(0.6))
    until(session, lambda: not session.busy)
    assert session.report.recipe == pruned(0.6)


def test_observers_can_be_removed(session):
    notified = []
    stop = session.subscribe(notified.append)
    session.set_budget(5)
    stop()
    stop()
    session.set_budget(6)
    assert len(notified) == 1


def test_close_stops_the_worker(session, fake):
    fake.gate.clear()
    session.set(pruned(0.5))
    fake.until(lambda: fake.started)
    thread = session._worker.thread
    session.close()
    assert not thread.is_alive()
    assert fake.ended == ["cancelled"]
    session.close()


def test_a_closed_session_measures_nothing(session, fake):
    session.close()
    session.set(pruned(0.5))
    assert not fake.started


def test_two_sessions_are_independent(session, fake, open_session, until):
    other = open_session("fashion/lenet5", pruned(0.3))
    until(other, lambda: not other.busy)
    fake.gate.clear()
    session.set(pruned(0.5))
    other.set(pruned(0.7))
    session.cancel()
    assert other.busy
    fake.gate.set()
    until(other, lambda: not other.busy)
    assert other.report.recipe == pruned(0.7)
    assert (session.model.name, other.model.name) == (SMALL, "fashion/lenet5")
    assert {visit.recipe for visit in other.visited} == {pruned(0.3), pruned(0.7)}
    assert {visit.recipe for visit in session.visited} == {wb.Recipe()}


def test_sessions_share_the_result_cache(session, open_session, until):
    session.set(pruned(0.5))
    until(session, lambda: not session.busy)
    other = open_session(SMALL)
    other.set(pruned(0.5))
    assert other.report.exact


def test_a_request_interrupts_warming_up(fake, open_session, until):
    first = open_session(SMALL)
    until(first, lambda: not first.busy)
    again = open_session(SMALL)
    assert again._worker.thread is None
    fake.gate.clear()
    fake.started.clear()
    again.warm_up()
    fake.until(lambda: fake.started)
    again.set(pruned(0.4))
    fake.until(lambda: len(fake.started) == 2)
    assert fake.started[-1] == (SMALL, pruned(0.4))
    fake.gate.set()
    until(again, lambda: not again.busy)


def test_a_warm_up_failure_is_reported_on_the_next_request(fake, open_session, until):
    first = open_session(SMALL)
    until(first, lambda: not first.busy)
    again = open_session(SMALL)
    fake.failure = OSError("no torch")
    fake.started.clear()
    again.warm_up()
    fake.until(lambda: fake.started)
    again.set(pruned(0.4))
    until(again, lambda: again.error is not None)
    assert "no torch" in again.error


def test_many_threads_can_use_one_session(session, until):
    def drag(user):
        for k in range(20):
            session.set(pruned((20 * user + k) / 100))

    workers = [threading.Thread(target=drag, args=(user,)) for user in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    until(session, lambda: not session.busy)
    assert session.report.recipe == session.recipe
    assert session.report.exact


CACHED_START = """
import sys
from pathlib import Path
from workbench.cache.results import ResultCache
from workbench.session import Session

session = Session(sys.argv[1], store=ResultCache(Path(sys.argv[2])))
assert session.report.exact and not session.busy
assert session._worker.thread is None
assert "torch" not in sys.modules
session.close()
"""


def test_a_cached_start_needs_no_torch(tmp_path):
    store = ResultCache(tmp_path)
    measure(wb.model(SMALL), timed=False, store=store)
    store.close()
    subprocess.run([sys.executable, "-c", CACHED_START, SMALL, str(tmp_path)], check=True)


def test_end_to_end(until):
    """Without a fake: a real model is measured, compressed, and measured on the test split."""
    session = Session(SMALL, pruned(0.8), store=ResultCache())
    until(session, lambda: not session.busy)
    artifact = session.artifact()
    assert len(artifact.to_bytes()) == session.report.bytes
    assert artifact.digest == session.report.digest
    test = session.test_report(artifact)
    assert test.exact
    assert (test.split, test.total, test.recipe) == ("test", 10000, pruned(0.8))
    session.close()
