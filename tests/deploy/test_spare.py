"""A process that exports is started before it is needed, used again, and ends by itself."""

from __future__ import annotations

import sys
import threading

import pytest

from workbench.deploy import spare
from workbench.deploy.spare import Spare

WAITS = [sys.executable, "-c", "import sys; sys.stdin.read()"]


@pytest.fixture
def waiting(monkeypatch):
    """A spare process, and a function that takes the one that waits."""
    monkeypatch.setattr(spare, "COMMAND", WAITS)
    spares, taken = Spare(), []

    def take():
        taken.append(spares.take())
        return taken[-1]

    yield spares, take
    for process in taken:
        process.close()


def test_a_process_waits_and_is_used_again(waiting):
    spares, take = waiting
    spares.start()
    spares.start()  # it waits already
    first = take()
    second = take()
    assert first is not second
    spares.keep(first)
    spares.keep(second)
    assert not second.running  # one is enough
    assert take() is first


def test_a_process_that_ended_is_replaced(waiting):
    spares, take = waiting
    first = take()
    spares.keep(first)
    first.close()
    assert take().running


def test_a_process_that_is_not_needed_ends(waiting, monkeypatch):
    spares, take = waiting
    monkeypatch.setattr(spare, "SECONDS", 0.01)
    closed = threading.Event()
    first = take()
    close = first.close
    monkeypatch.setattr(first, "close", lambda: (close(), closed.set()))
    spares.keep(first)
    assert closed.wait(60)
    assert not first.running
    assert take() is not first
