"""Sessions whose measuring is replaced by a fake that the test controls."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import workbench as wb
from workbench.artifact.ledger import Ledger
from workbench.cache.results import ResultCache
from workbench.cancel import NEVER
from workbench.errors import Cancelled
from workbench.evaluation import measure
from workbench.evaluation.cached_results import build_report, score_key, size_key
from workbench.evaluation.report import Score, Size
from workbench.session import Session

TIMEOUT = 60  # seconds a test waits before it fails


class FakeMeasure:
    """A fake `measure.iter_reports`: starts at once and continues while `gate` is set.

    `started` lists the requests, `ended` how each one ended. `failure` is raised if it is set.
    """

    def __init__(self) -> None:
        self.started: list[tuple[str, wb.Recipe]] = []
        self.ended: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.late_failure: Exception | None = None  # raised by a request that is outdated
        self.changed = threading.Condition()

    def iter_reports(self, model, recipe, *, split="validation", store, cancel=NEVER, **_callbacks):
        self._note(self.started, (model.name, recipe))
        if self.failure:
            raise self.failure
        size = size_of(recipe)
        store.put(size_key(model, recipe, ""), size.as_dict())
        yield build_report(model, recipe, split, size, None)
        for score in (score_of(recipe, examples) for examples in (400, 5000)):
            opened = False
            while not opened:
                opened = self.gate.wait(0.01)
                if cancel.cancelled:
                    self._note(self.ended, "cancelled")
                    raise self.late_failure or Cancelled("Measuring was stopped.")
            if score.exact:
                store.put(score_key(model, size.digest, split), score.as_dict())
            yield build_report(model, recipe, split, size, score)
        self._note(self.ended, "done")

    def _note(self, events, event) -> None:
        with self.changed:
            events.append(event)
            self.changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()` holds; it is checked when a request starts or ends."""
        with self.changed:
            assert self.changed.wait_for(condition, TIMEOUT)


def size_of(recipe):
    digest = recipe.digest
    return Size(
        digest, 1000 + int(digest[:2], 16), 5000, 0.0, 0.0, 10, 5, 7, 9, Ledger((), 1000), ()
    )


def score_of(recipe, examples):
    share = int(recipe.digest[:3], 16) / 4096
    low, high = (share, share) if examples == 5000 else (share - 0.01, share + 0.01)
    return Score("accuracy", share, low, high, examples, 5000, {"accuracy": share}, ((1,),))


@pytest.fixture
def fake(monkeypatch):
    measuring = FakeMeasure()
    monkeypatch.setattr(measure, "iter_reports", measuring.iter_reports)
    yield measuring
    measuring.gate.set()


@pytest.fixture
def store():
    return ResultCache()


@pytest.fixture
def open_session(store):
    """Open sessions and close them when the test ends."""
    opened = []

    def make(*settings, **more):
        session = Session(*settings, **{"store": store, **more})
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(fake, open_session, until):
    session = open_session("fashion/lenet-300-100")
    until(session, lambda: not session.busy)
    fake.started.clear()
    fake.ended.clear()
    return session


@pytest.fixture
def until():
    """Wait until a condition on a session holds; it is checked after each change."""

    def wait(session, condition):
        changed = threading.Condition()

        def notify(_):
            with changed:
                changed.notify_all()

        stop = session.subscribe(notify)
        with changed:
            assert changed.wait_for(condition, TIMEOUT)
        stop()

    return wait
