"""Messages between two ranks of a pipeline, with a clock and a simulated link."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from workbench.parallel.link import Departures, Link
from workbench.parallel.rank.clock import Clock, Span
from workbench.parallel.waits import here

TENSORS = 64
"""The most tensors of one message."""

Kind = tuple[torch.Size, torch.dtype]
"""The shape and dtype of a tensor."""


class Incoming(NamedTuple):
    """A message that a rank receives: its tensors, who sends it, and its names."""

    kinds: Sequence[Kind]
    rank: int
    key: str
    tag: int


class Messages:
    """Sends and receives tensors; a send does not wait for its receiver.

    The memory of the next message is offered before this rank asks for it, so that the message
    arrives while the rank computes. A sender has nowhere to write it before that.
    """

    def __init__(self, clock: Clock, link: Link, ranks: int) -> None:
        self._clock, self._link, self._ranks = clock, link, ranks
        self._sent: list[tuple[Any, Tensor, int]] = []
        self._expected: deque[Incoming] = deque()
        self._offered: dict[str, tuple[list[Tensor], list[Any]]] = {}
        self._simulated = bool(link.latency or link.bandwidth)
        self._departures = Departures(link)

    def expect(self, messages: Iterable[Incoming]) -> None:
        """Set the messages that this rank will receive, in this order."""
        self._expected.extend(messages)
        self._offer_next()

    def send(self, tensors: Sequence[Tensor], rank: int, key: str, tag: int) -> None:
        """Send `tensors` to a rank."""
        start = self._clock.begin()
        contents = [tensor.detach().contiguous() for tensor in tensors]
        payload = sum(tensor.nbytes for tensor in tensors)
        if self._simulated:  # so that the receiver knows when the message would arrive
            leaves = self._departures.leave(payload, time.perf_counter())
            contents.append(torch.tensor([leaves], dtype=torch.float64))
        for number, content in enumerate(contents):
            with here.waiting("send", rank):
                work = dist.isend(content, rank, tag=tag * TENSORS + number)
            self._sent.append((work, content, rank))
        end = time.perf_counter()
        self._clock.end(Span("send", start, end, bytes=payload, key=key, peer=rank))

    def receive(self, message: Incoming) -> list[Tensor]:
        """Return the tensors of the next of the messages that are expected."""
        start = self._clock.begin()
        self._offer_next()
        contents, works = self._offered.pop(message.key)
        with here.waiting("receive", message.rank):
            for work in works:
                work.wait()
        tensors = contents[: len(message.kinds)]
        payload = sum(tensor.nbytes for tensor in tensors)
        delay = 0.0
        if self._simulated:
            delay = self._link.seconds("send", payload, self._ranks)
            here.delay(float(contents[-1]) + delay - time.perf_counter())
        end = time.perf_counter()
        self._clock.end(Span("receive", start, end, 0.0, payload, message.key, message.rank, delay))
        return tensors

    def wait(self) -> None:
        """Wait until all messages have been received."""
        for work, _content, rank in self._sent:
            with here.waiting("send", rank):
                work.wait()
        self._sent.clear()

    def _offer_next(self) -> None:
        """Offer memory for the next message that is expected."""
        if not self._expected:
            return
        message = self._expected.popleft()
        contents = [torch.empty(shape, dtype=dtype) for shape, dtype in message.kinds]
        if self._simulated:
            contents.append(torch.empty(1, dtype=torch.float64))
        with here.waiting("receive", message.rank):
            works = [
                dist.irecv(content, message.rank, tag=message.tag * TENSORS + number)
                for number, content in enumerate(contents)
            ]
        self._offered[message.key] = contents, works
