"""Watching the ranks of a run: their events, and which of them is the cause of an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from workbench.cancel import CancelToken
from workbench.errors import InputError, WorkbenchError
from workbench.parallel.rank_process import Event, RankProcess
from workbench.parallel.waits import PeerError, stalled

POLL = 0.05
"""Seconds between two checks for cancellation and limits."""
ASK_SECONDS = 1.0
"""How often ranks are asked what they do while none of them sends an event."""
ANSWER_SECONDS = 60.0
"""The longest time in which a rank answers that question, which a separate thread does."""
GRACE_SECONDS = 0.5
"""How long further errors are collected after the first: a failing rank makes others fail."""

OnEvent = Callable[[int, Mapping[str, Any]], None]


class RankError(WorkbenchError, RuntimeError):
    """A rank died, failed or did not answer in time."""

    default_code = "parallel.rank_failed"


class Watch:
    """The events of one run.

    Parameters
    ----------
    limit
        Seconds without progress of any rank after which the run ends.
    on_event
        Called with the rank and each event.
    """

    def __init__(
        self,
        ranks: Sequence[RankProcess],
        events: SimpleQueue[Event],
        *,
        limit: float,
        on_event: OnEvent,
        cancel: CancelToken,
    ) -> None:
        self._ranks, self._events, self._limit = ranks, events, limit
        self._on_event, self._cancel = on_event, cancel
        now = time.monotonic()
        self._progress = self._last_question = now
        self._heard = dict.fromkeys(range(len(ranks)), now)
        self._waits: dict[int, Mapping[str, Any]] = {}
        self._results: dict[int, dict[str, Any]] = {}
        self._errors: dict[int, Mapping[str, Any]] = {}
        self._deadline = float("inf")
        self._begun = False

    @property
    def answered(self) -> bool:
        """Whether all ranks have ended, each with a result or an error."""
        return len(self._errors) + len(self._results) == len(self._ranks)

    def results(self) -> list[dict[str, Any]]:
        """Return the result of each rank once all have ended.

        Raises
        ------
        InputError
            If a rank refuses the command.
        RankError
            If a rank dies, fails or does not answer; it names the rank.
        Cancelled
            If the run is cancelled.
        """
        while len(self._results) < len(self._ranks):
            self._cancel.check()
            with suppress(Empty):
                sender, event = self._events.get(timeout=POLL)
                if sender in self._ranks:  # not a process of an earlier run
                    self._receive(self._ranks.index(sender), event)
            if self._errors and self.answered:
                raise _failed(self._errors)
            self._check_time()
        return [self._results[number] for number in range(len(self._ranks))]

    def _receive(self, number: int, event: Mapping[str, Any] | None) -> None:
        self._heard[number] = time.monotonic()
        if event is None:
            raise _died(number, self._ranks[number], len(self._ranks))
        kind = event["event"]
        if kind == "where":
            self._waits[number] = event
            return
        self._progress = self._heard[number]
        if kind == "end":
            self._results[number] = event["result"]
        elif kind == "error":
            self._errors[number] = event
            self._deadline = min(self._deadline, self._progress + GRACE_SECONDS)
        elif kind != "ready":
            self._begun = True
            self._on_event(number, event)

    def _check_time(self) -> None:
        now = time.monotonic()
        if now > self._deadline:
            raise _failed(self._errors)  # the other ranks wait for the one that failed
        if now - self._last_question > min(ASK_SECONDS, self._limit / 4):
            self._last_question = now
            for rank in self._ranks:
                rank.ask({"command": "where"})
        count, ready = len(self._ranks), all(rank.ready for rank in self._ranks)
        patience = min(self._limit, ANSWER_SECONDS) if ready else ANSWER_SECONDS
        silent = min(self._heard, key=self._heard.__getitem__)
        if now - self._heard[silent] > patience:
            raise RankError(
                f"The process of rank {silent} of {count} has not answered for {patience:g} s, so "
                "all ranks were stopped; start the run again if the process was paused, and use "
                "fewer ranks or a larger limit on a busy machine.",
                code="parallel.timeout",
            )
        limit = self._limit if self._begun else max(self._limit, ANSWER_SECONDS)
        if ready and now - self._progress > limit:
            waits = {n: w for n, w in self._waits.items() if n not in self._results}
            raise RankError(stalled(waits, count, limit), code="parallel.timeout")


def _died(number: int, rank: RankProcess, count: int) -> RankError:
    status = rank.status()
    how = "" if status is None else f" with status {status}"
    message = (
        f"The process of rank {number} of {count} ended{how}, so all ranks were "
        "stopped; start the run again, with fewer ranks if memory is short."
    )
    lines = rank.last_lines()
    text = f"{message} Its last lines: {lines}" if lines else message
    return RankError(text, code="parallel.rank_died")


def _failed(errors: Mapping[int, Mapping[str, Any]]) -> WorkbenchError:
    """Return the error of the rank that failed first for a reason of its own."""
    causes = [n for n, event in errors.items() if event["code"] != PeerError.default_code]
    number = min(causes or errors)
    event = errors[number]
    if event["code"] == PeerError.default_code:
        return RankError(
            f"Rank {number} {event['message']}; start the run again.", code=event["code"]
        )
    if event["code"] == RankError.default_code:
        return RankError(f"Rank {number} failed with {event['message']}", code=event["code"])
    return InputError(event["message"], code=event["code"])
