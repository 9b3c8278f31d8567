"""A page without a browser: what it is sent, and what it sends back, in plain lists and calls."""

from __future__ import annotations

import itertools
import threading

import pytest

from workbench.cache.results import ResultCache
from workbench.panels import controls
from workbench.panels.page import Dashboard
from workbench.session import Session

LONGEST = 60  # seconds to wait for anything


class Recording(Dashboard):
    """A dashboard that keeps its messages."""

    def __init__(self, session):
        self.sent = []
        self.news = threading.Condition()
        super().__init__(session)

    def send(self, content, buffers=None):
        with self.news:
            self.sent.append((content, buffers))
            self.news.notify_all()


class Page:
    """The browser's side of the wire."""

    def __init__(self, session):
        self.view = Recording(session)
        self.session = session
        self.seq = itertools.count(1)

    def act(self, name, **details):
        self.view._on_message(self.view, {"act": name, **details}, [])

    def choose(self, **changes):
        values = controls.values(self.session.recipe)
        values |= {key.replace("_", ".", 1): value for key, value in changes.items()}
        self.raw(values)

    def raw(self, values):
        self.view.values = {"seq": next(self.seq), "values": values}

    def last(self, kind):
        return next((m for m, _ in reversed(self.view.sent) if m["kind"] == kind), None)

    def wait(self, kind, accept=lambda message: True):
        """Return the newest message of `kind` once it is acceptable."""

        def found():
            message = self.last(kind)
            return message is not None and accept(message)

        with self.view.news:
            assert self.view.news.wait_for(found, LONGEST), (kind, self.last(kind))
            return self.last(kind)

    def settled(self):
        return self.wait("state", lambda state: not state["busy"])

    def file(self):
        """Return name, kind and bytes of the newest file sent."""
        self.wait("file")
        message, buffers = next(
            pair for pair in reversed(self.view.sent) if pair[0]["kind"] == "file"
        )
        return message["name"], message["mime"], bytes(buffers[0])


@pytest.fixture
def store():
    return ResultCache()


@pytest.fixture
def wire(store):
    made = Page(Session("fashion/lenet-300-100", store=store))
    made.act("hello", search="", theme="light")
    yield made
    made.view.close()
