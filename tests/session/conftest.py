"""Sessions whose measuring is played by a stand-in that the test holds the reins of."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import workbench as wb
from workbench.artifact.ledger import Ledger
from workbench.cache.results import ResultCache
from workbench.errors import Cancelled
from workbench.evaluation import measure
from workbench.evaluation.cached_results import build_report, cached_report, score_key, size_key
from workbench.evaluation.report import Score, Size
from workbench.session import Session

PATIENCE = 60  # seconds until a test that waits in vain gives up


class Stage:
    """Stands in for `measure.steps`: begins at once, goes on when the gate is open.

    `begun` holds what was asked for, in order; `failure` is raised in place of an answer.
    """

    def __init__(self) -> None:
        self.begun: list[tuple[str, wb.Recipe]] = []
        self.ended: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.moved = threading.Condition()

    def steps(
        self, model, recipe, *, split="validation", store, cancelled=lambda: False, on_step=None
    ):
        self._note(self.begun, (model.name, recipe))
        if self.failure:
            raise self.failure
        answers = (size_of(recipe), *(score_of(recipe, seen) for seen in (400, 5000)))
        size = answers[0]
        store.put(size_key(model, recipe, ""), size.as_dict())
        yield build_report(model, recipe, split, size, None)
        for score in answers[1:]:
            while not self.gate.wait(0.01):
                if cancelled():
                    self._note(self.ended, "cancelled")
                    raise Cancelled("Measuring was stopped.")
            if cancelled():
                self._note(self.ended, "cancelled")
                raise Cancelled("Measuring was stopped.")
            if score.exact:
                store.put(score_key(model, size.digest, split), score.as_dict())
            yield build_report(model, recipe, split, size, score)
        self._note(self.ended, "done")

    def _note(self, where, what) -> None:
        with self.moved:
            where.append(what)
            self.moved.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()`, looked at whenever something begins or ends."""
        with self.moved:
            assert self.moved.wait_for(holds, PATIENCE)


def size_of(recipe):
    digest = recipe.digest
    return Size(
        digest, 1000 + int(digest[:2], 16), 5000, 0.0, 0.0, 10, 5, 7, 9, Ledger((), 1000), ()
    )


def score_of(recipe, seen):
    share = int(recipe.digest[:3], 16) / 4096
    low, high = (share, share) if seen == 5000 else (share - 0.01, share + 0.01)
    return Score("accuracy", share, low, high, seen, 5000, {"accuracy": share}, ((1,),))


@pytest.fixture
def stage(monkeypatch):
    played = Stage()
    monkeypatch.setattr(measure, "iter_reports", played.steps)
    yield played
    played.gate.set()


@pytest.fixture
def store():
    return ResultCache()


@pytest.fixture
def open_session(store):
    """Open sessions that are closed when the test ends."""
    opened = []

    def make(*settings, **more):
        session = Session(*settings, **{"store": store, **more})
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(stage, open_session, until):
    made = open_session("fashion/lenet-300-100")
    until(made, lambda: not made.busy)
    stage.begun.clear()
    stage.ended.clear()
    return made


@pytest.fixture
def until():
    """Wait until something holds of a session, looked at after each of its changes."""

    def wait(session, holds):
        changed = threading.Condition()

        def tell(_):
            with changed:
                changed.notify_all()

        stop = session.subscribe(tell)
        with changed:
            assert changed.wait_for(holds, PATIENCE)
        stop()

    return wait


@pytest.fixture
def knows(store):
    """Whether the store has the exact report of a recipe."""

    def answer(model, recipe):
        found = cached_report(model, recipe, "validation", store)
        return found is not None and found.exact

    return answer
