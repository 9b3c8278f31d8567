"""What a rank waits for: each rank reports it, and the caller finds the rank that is the cause."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from workbench.errors import WorkbenchError, first_line

PATIENCE = 60.0
"""Seconds by which a rank waits longer than its caller, who knows which rank is the cause."""


LINK = "link"
"""What a rank does during a delay of the simulated link."""


class PeerError(WorkbenchError, RuntimeError):
    """A communication failed, because another rank ended or did not answer."""

    default_code = "parallel.peer_lost"


class Waits:
    """What this process does at the moment, which another thread reports."""

    def __init__(self) -> None:
        self._kind, self._peer, self._since, self._step = "", -1, time.monotonic(), 0

    def begin_step(self, step: int) -> None:
        """Note the number of the step that begins, from 1."""
        self._step, self._since = step, time.monotonic()

    @contextmanager
    def waiting(self, kind: str, peer: int = -1) -> Iterator[None]:
        """Note what is waited for: a message of `peer`, or all ranks.

        Raises
        ------
        PeerError
            In place of the error of the communication.
        """
        self._kind, self._peer, self._since = kind, peer, time.monotonic()
        try:
            yield
        except (RuntimeError, TimeoutError) as error:
            whom = "the other ranks" if peer < 0 else f"rank {peer}"
            raise PeerError(
                f"waited for {whom} in step {self._step} ({kind}), without success: "
                f"{first_line(error)}"
            ) from error
        finally:
            self._kind, self._since = "", time.monotonic()

    def delay(self, seconds: float) -> None:
        """Wait for the simulated link."""
        with self.waiting(LINK):
            time.sleep(max(0.0, seconds))

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "kind": self._kind,
            "peer": self._peer,
            "step": self._step,
            "seconds": time.monotonic() - self._since,
        }


here = Waits()
"""What this process waits for."""


def stalled(waits: Mapping[int, Mapping[str, Any]], count: int, limit: float) -> str:
    """Return a sentence about ranks that answer, but none of which makes progress.

    Parameters
    ----------
    waits
        What each rank does, by its number.
    """
    if any(wait["kind"] == LINK for wait in waits.values()):
        return (
            f"No rank has ended a step for {limit:g} s, because the simulated link delays each "
            "communication, so the run was stopped; use a smaller latency, a larger bandwidth or a "
            "larger limit."
        )
    computing = {number: wait for number, wait in waits.items() if not wait["kind"]}
    if not computing:
        texts = [
            f"rank {number} for {'all' if wait['peer'] < 0 else 'rank ' + str(wait['peer'])}"
            for number, wait in sorted(waits.items())
        ]
        return (
            f"No rank has made progress for {limit:g} s, because all of them wait "
            f"({', '.join(texts)}), so the run was stopped; start it again, with another strategy "
            "if this repeats."
        )
    number = max(computing, key=lambda n: computing[n]["seconds"])
    step, seconds = computing[number]["step"], computing[number]["seconds"]
    if seconds < limit / 2:  # it communicates in between
        return (
            f"No rank has ended a step for {limit:g} s, so the run was stopped; use a smaller "
            "batch or fewer ranks, or a larger limit."
        )
    activity = f"been computing step {step}" if step else "not begun to train"
    return (
        f"Rank {number} of {count} has {activity} for {seconds:.0f} s, so the run was stopped; use "
        "a smaller batch or fewer ranks, or a larger limit."
    )
