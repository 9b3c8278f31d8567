"""Messages between two ranks of a pipeline, with a clock and a simulated link."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from workbench.parallel.link import Link
from workbench.parallel.rank.clock import Clock, Span
from workbench.parallel.waits import here

TENSORS = 64
"""The most tensors of one message."""

Kind = tuple[torch.Size, torch.dtype]
"""The shape and dtype of a tensor."""


class Messages:
    """Sends and receives tensors; a send does not wait for its receiver."""

    def __init__(self, clock: Clock, link: Link, ranks: int) -> None:
        self._clock, self._link, self._ranks = clock, link, ranks
        self._sent: list[tuple[Any, Tensor, int]] = []
        self._simulated = bool(link.latency or link.bandwidth)

    def send(self, tensors: Sequence[Tensor], rank: int, key: str, tag: int) -> None:
        """Send `tensors` to a rank."""
        start = self._clock.begin()
        contents = [tensor.detach().contiguous() for tensor in tensors]
        if self._simulated:  # so that the receiver knows when the message would arrive
            contents.append(torch.tensor([time.perf_counter()], dtype=torch.float64))
        for number, content in enumerate(contents):
            with here.waiting("send", rank):
                work = dist.isend(content, rank, tag=tag * TENSORS + number)
            self._sent.append((work, content, rank))
        payload = sum(tensor.nbytes for tensor in tensors)
        end = time.perf_counter()
        self._clock.end(Span("send", start, end, bytes=payload, key=key, peer=rank))

    def receive(self, kinds: Sequence[Kind], rank: int, key: str, tag: int) -> list[Tensor]:
        """Return the tensors of these kinds that a rank sends."""
        start = self._clock.begin()
        tensors = [torch.empty(shape, dtype=dtype) for shape, dtype in kinds]
        contents = list(tensors)
        if self._simulated:
            contents.append(torch.empty(1, dtype=torch.float64))
        with here.waiting("receive", rank):
            works = [
                dist.irecv(content, rank, tag=tag * TENSORS + number)
                for number, content in enumerate(contents)
            ]
            for work in works:
                assert work is not None
                work.wait()
        payload = sum(tensor.nbytes for tensor in tensors)
        delay = 0.0
        if self._simulated:
            delay = self._link.seconds("send", payload, self._ranks)
            time.sleep(max(0.0, float(contents[-1]) + delay - time.perf_counter()))
        end = time.perf_counter()
        span = Span("receive", start, end, bytes=payload, key=key, peer=rank, delay=delay)
        self._clock.end(span)
        return tensors

    def wait(self) -> None:
        """Wait until all messages have been received."""
        for work, _content, rank in self._sent:
            with here.waiting("send", rank):
                work.wait()
        self._sent.clear()
