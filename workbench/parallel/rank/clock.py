"""The clock inside a rank: when it computes and when it communicates, and with how many bytes.

All ranks of one machine read the same monotonic clock. Thus the waiting time of a collective is
known afterwards: it lasts from the rank's own arrival until the last rank arrives.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

COMPUTE = "compute"
LOCK = "lock"
"""Waiting for a lock."""


@dataclass
class Span:
    """What a rank did in one span of time.

    Attributes
    ----------
    kind : str
        ``compute``, or the collective, ``send`` or ``receive``.
    start, end : float
        Seconds of the machine's monotonic clock.
    cpu : float
        Seconds of processor time of this rank while it computes, with those of its threads that
        send and receive meanwhile.
    bytes : int
        The payload that this rank hands over, 0 for computing.
    key : str
        Equal for all ranks that take part in the same communication.
    peer : int
        The other rank of a message between two, else -1.
    delay : float
        Seconds of the simulated link that are part of the span.
    label : str
        What was computed, such as ``F0`` for the forward pass of microbatch 0.
    """

    kind: str
    start: float
    end: float
    cpu: float = 0.0
    bytes: int = 0
    key: str = ""
    peer: int = -1
    delay: float = 0.0
    label: str = ""


class Clock:
    """Records the spans of one rank."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.label = ""
        self._running = False
        self._since = self._cpu = 0.0

    @property
    def running(self) -> bool:
        """Whether spans are recorded: not while weights are compared or saved."""
        return self._running

    @contextmanager
    def measuring(self) -> Iterator[list[Span]]:
        """Record spans inside the context; the list is complete after it."""
        self.spans = []
        self._running = True
        self._restart()
        try:
            yield self.spans
        finally:
            self._close_computation()
            self._running = False

    def label_next(self, label: str) -> None:
        """Label what is computed from now on."""
        if self._running:
            self._close_computation()
            self._restart()
        self.label = label

    def begin(self) -> float:
        """End a computation because communication begins; return its start."""
        if self._running:
            self._close_computation()
        return time.perf_counter()

    def end(self, span: Span) -> None:
        """Record a communication; a computation begins."""
        if self._running:
            self.spans.append(span)
            self._restart()

    def _restart(self) -> None:
        self._since, self._cpu = time.perf_counter(), time.process_time()

    def _close_computation(self) -> None:
        now, cpu = time.perf_counter(), time.process_time() - self._cpu
        self.spans.append(Span(COMPUTE, self._since, now, cpu, label=self.label))


def as_json(spans: list[Span]) -> list[dict[str, Any]]:
    """Return spans as JSON types."""
    return [asdict(span) for span in spans]
