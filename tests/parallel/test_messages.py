"""Messages of a pipeline: they are received ahead, and a simulated link carries one at a time."""

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


def test_messages_leave_one_after_the_other_on_a_simulated_link(monkeypatch):
    """Three messages of 2,000 bytes at 10,000 bytes per second: 0.2 s each."""
    stamps = []

    def send(content, rank, tag):
        if content.dtype == torch.float64:  # the last tensor says when the message leaves
            stamps.append(float(content))
        return SimpleNamespace(wait=lambda: None)

    monkeypatch.setattr(messages, "dist", SimpleNamespace(isend=send))
    sender = Messages(Clock(), Link(latency=0.1, bandwidth=1e4), ranks=2)
    for number in range(3):
        sender.send([torch.zeros(500)], 1, f"F:0:{number}", number)
    assert [stamp - stamps[0] for stamp in stamps] == pytest.approx([0.0, 0.2, 0.4])
