"""Messages of a pipeline: the next one is offered memory before the rank asks for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from workbench.parallel.link import Link
from workbench.parallel.rank import messages
from workbench.parallel.rank.clock import Clock
from workbench.parallel.rank.messages import TENSORS, Incoming, Messages


@pytest.fixture
def calls(monkeypatch):
    """What happens, in order; a received tensor is filled with its tag."""
    calls = []

    def receive(content, rank, tag):
        calls.append(("offered", rank, tag))

        def wait():
            content.fill_(tag)
            calls.append(("waited", rank, tag))

        return SimpleNamespace(wait=wait)

    monkeypatch.setattr(messages, "dist", SimpleNamespace(irecv=receive))
    return calls


def test_the_next_message_is_offered_memory_before_the_rank_waits(calls):
    kind = (torch.Size([2, 3]), torch.float32)
    expected = [Incoming([kind], 1, f"F:0:{number}", number) for number in range(3)]
    received = Messages(Clock(), Link(), ranks=2)
    received.expect(expected)
    for message in expected:
        calls.append(("asked", message.rank, message.tag * TENSORS))
        (tensor,) = received.receive(message)
        assert tensor.shape == (2, 3)
        assert (tensor == message.tag * TENSORS).all()
    first, second, third = (number * TENSORS for number in range(3))
    assert calls == [
        ("offered", 1, first),
        ("asked", 1, first),
        ("offered", 1, second),
        ("waited", 1, first),
        ("asked", 1, second),
        ("offered", 1, third),
        ("waited", 1, second),
        ("asked", 1, third),
        ("waited", 1, third),
    ]
