"""What a collective sends, and how long a simulated link takes for it."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1e6


@dataclass(frozen=True)
class Link:
    """A simulated link between ranks.

    Attributes
    ----------
    latency : float
        Seconds per message.
    bandwidth : float
        Bytes per second; 0 for no limit.
    """

    latency: float = 0.0
    bandwidth: float = 0.0

    def seconds(self, kind: str, payload: int, ranks: int) -> float:
        """Return the delay of one communication of `payload` bytes."""
        transfer = sent_bytes(kind, payload, ranks) / self.bandwidth if self.bandwidth else 0.0
        return messages(kind, ranks) * self.latency + transfer


def sent_bytes(kind: str, payload: int, ranks: int) -> float:
    """Return the bytes that a rank sends, on average, by the ring algorithms.

    `payload` is what the rank hands over: the tensor of an all-reduce, reduce-scatter or broadcast,
    the rank's own part of an all-gather, the message of a send (Patarasuk and Yuan, Journal of
    Parallel and Distributed Computing 69(2), 2009).
    """
    if kind == "all_reduce":
        return 2 * (ranks - 1) / ranks * payload
    if kind == "all_gather":
        return (ranks - 1) * payload
    if kind in ("reduce_scatter", "broadcast", "scatter"):
        return (ranks - 1) / ranks * payload
    return payload if kind == "send" else 0


def messages(kind: str, ranks: int) -> int:
    """Return the messages that a rank sends one after the other."""
    if kind == "all_reduce":
        return 2 * (ranks - 1)
    return 1 if kind == "send" else ranks - 1
