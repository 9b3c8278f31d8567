"""The client's side of uploads, with trainings of few steps."""

from __future__ import annotations

import itertools

import pytest

from workbench.custom.uploads import small_models
from workbench.panels.uploads.file import CHUNK_BYTES
from workbench.zoo import registry

NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setattr(small_models, "STEPS", {"custom": 60, "image": 20})


def csv(rows=80):
    lines = (f"{3 * n},{n % 7},{'low' if n < rows / 2 else 'high'}" for n in range(rows))
    return "\n".join(["size,other,label", *lines]).encode()


class Sender:
    """The client's side of an upload."""

    def __init__(self, client):
        self.client = client
        self.number = 0

    def start(self, name, size, **more):
        self.number = next(NUMBERS)
        self.client.act("upload", number=self.number, file=name, size=size, **more)
        return self.last()

    def last(self):
        return self.client.last("upload")

    def send_chunk(self, *buffers):
        message = {"act": "upload_chunk", "number": self.number}
        self.client.dashboard._on_message(self.client.dashboard, message, list(buffers))

    def send(self, name, data, **more):
        answer = self.start(name, len(data), **more)
        while answer["step"] == "chunk":
            offset = answer["offset"]
            self.send_chunk(memoryview(data)[offset : offset + CHUNK_BYTES])
            answer = self.last()
            if offset + CHUNK_BYTES >= len(data):
                break

    def until(self, *steps, accept=lambda message: True):
        number = self.number
        return self.client.wait(
            "upload", lambda m: m["number"] == number and m["step"] in steps and accept(m)
        )

    def check(self, edit, **choices):
        """Change the choices and return the answer."""
        self.client.act("upload_check", number=self.number, edit=edit, choices=choices)
        return self.until("check", "failed", accept=lambda m: m.get("edit") == edit)

    def train(self):
        """Train with the newest choices and return the result."""
        self.client.act("upload_train", number=self.number)
        return self.until("done", "failed")


@pytest.fixture
def sender(client):
    client.wait_until_idle()
    return Sender(client)
