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
        transfer = self.transfer(sent_bytes(kind, payload, ranks))
        return messages(kind, ranks) * self.latency + transfer

    def transfer(self, payload: float) -> float:
        """Return how long the link is occupied by `payload` bytes, in seconds."""
        return payload / self.bandwidth if self.bandwidth else 0.0


class Departures:
    """When the messages of one rank leave: one after the other, as its link has one bandwidth."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._free = float("-inf")

    def leave(self, payload: int, start: float) -> float:
        """Return when a message leaves that the rank hands over at `start`, in seconds."""
        leaves = max(start, self._free)
        self._free = leaves + self._link.transfer(payload)
        return leaves


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
