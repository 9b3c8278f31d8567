"""A client without a browser: it records the messages of a dashboard and sends actions."""

from __future__ import annotations

import itertools
import threading

import pytest

from workbench.cache.results import ResultCache
from workbench.panels import settings
from workbench.panels.widget import SessionWidget
from workbench.session import Session

TIMEOUT = 180  # seconds, for busy machines


class Recording(SessionWidget):
    """A dashboard that records its messages."""

    def __init__(self, session):
        self.sent = []
        self.changed = threading.Condition()
        super().__init__(session, owns_session=True)

    def send(self, content, buffers=None):
        with self.changed:
            self.sent.append((content, buffers))
            self.changed.notify_all()


class Client:
    """The browser's side of the connection."""

    def __init__(self, session):
        self.dashboard = Recording(session)
        self.session = session
        self.seq = itertools.count(1)

    def act(self, name, **details):
        self.dashboard._on_message(self.dashboard, {"act": name, **details}, [])

    def values(self):
        return settings.values(self.session)

    def set_values(self, **changes):
        values = self.values()
        values |= {key.replace("_", ".", 1): value for key, value in changes.items()}
        self.send_values(values)

    def send_values(self, values):
        self.dashboard.values = {"seq": next(self.seq), "values": values}

    def last(self, kind):
        return next((m for m, _ in reversed(self.dashboard.sent) if m["kind"] == kind), None)

    def wait(self, kind, accept=lambda message: True):
        """Return the newest message of `kind` as soon as `accept` returns true for it."""

        def accepted():
            message = self.last(kind)
            return message is not None and accept(message)

        with self.dashboard.changed:
            assert self.dashboard.changed.wait_for(accepted, TIMEOUT), (kind, self.last(kind))
            return self.last(kind)

    def wait_until_idle(self):
        return self.wait("state", lambda state: not state["busy"])

    def file(self):
        """Return name, kind and bytes of the newest file sent."""
        self.wait("file")
        message, buffers = next(
            pair for pair in reversed(self.dashboard.sent) if pair[0]["kind"] == "file"
        )
        return message["name"], message["mime"], bytes(buffers[0])


@pytest.fixture
def store():
    return ResultCache()


@pytest.fixture
def client(store):
    client = Client(Session("fashion/lenet-300-100", store=store))
    client.act("hello", search="", theme="light")
    yield client
    client.dashboard.close()
