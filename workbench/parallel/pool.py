"""A pool of rank processes that is kept between runs and ends with this process."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from workbench.cancel import NEVER, CancelToken
from workbench.errors import InputError, WorkbenchError

WORKER = [sys.executable, "-m", "workbench.parallel.worker"]
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "USE_LIBUV": "0"}
POLL = 0.05
"""Seconds between two checks for cancellation and limits."""
IDLE_SECONDS = 300.0
"""How long unused processes are kept."""
GRACE_SECONDS = 0.5
"""How long further errors are collected after the first: a failing rank makes others fail."""
CONSEQUENCES = ("gloo", "Connection closed", "Connection reset", "Timed out", "timed out")
"""Parts of messages of ranks that failed because another one had."""
LAST_LINES = 3

Event = tuple["RankProcess", Mapping[str, Any] | None]
OnEvent = Callable[[int, Mapping[str, Any]], None]


class RankError(WorkbenchError, RuntimeError):
    """A rank died, failed or did not answer in time."""

    default_code = "parallel.rank_failed"


class RankProcess:
    """One process of the pool."""

    def __init__(self, events: SimpleQueue[Event]) -> None:
        self._events = events
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `kill` closes it
        variables = ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.process = subprocess.Popen(
            WORKER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env={**os.environ, **variables},
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def ask(self, request: Mapping[str, Any]) -> None:
        """Send a command; a dead process is noticed by its missing events."""
        assert self.process.stdin is not None
        with suppress(OSError):  # the process has died
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

    def last_lines(self) -> str:
        """Return the last lines that the process printed, as one line."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return " ".join(lines[-LAST_LINES:])

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            with suppress(OSError):  # a request that a dead process did not read
                if stream is not None:
                    stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with suppress(ValueError, OSError):  # the stream is closed when the process is killed
            for line in self.process.stdout:
                self._events.put((self, json.loads(line)))
        self._events.put((self, None))


class Pool:
    """Processes for the ranks of one run at a time.

    Attributes
    ----------
    lock : Lock
        Held by the run that uses the pool.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._processes: list[RankProcess] = []
        self._timer: threading.Timer | None = None

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The ids of the processes that run."""
        return tuple(rank.process.pid for rank in self._processes if rank.alive)

    def start(self, count: int) -> list[RankProcess]:
        """Return `count` processes; those that run are used again."""
        if self._timer is not None:
            self._timer.cancel()
        for dead in [rank for rank in self._processes if not rank.alive]:
            dead.kill()
            self._processes.remove(dead)
        while len(self._processes) < count:
            self._processes.append(RankProcess(self._events))
        return self._processes[:count]

    def run(
        self,
        requests: Sequence[Mapping[str, Any]],
        *,
        limit: float,
        on_event: OnEvent = lambda rank, event: None,
        cancel: CancelToken = NEVER,
    ) -> list[dict[str, Any]]:
        """Send one command to each rank and return their results, by rank.

        Parameters
        ----------
        limit
            Seconds without an event of any rank after which the run ends.
        on_event
            Called with the rank and each event.

        Raises
        ------
        InputError
            If a rank refuses the command.
        RankError
            If a rank dies, fails or none sends an event in time; it names the rank. All
            processes have ended then.
        Cancelled
            If `cancel` is cancelled. All processes have ended then.
        """
        ranks = self.start(len(requests))
        try:
            for rank, request in zip(ranks, requests, strict=True):
                rank.ask(request)
            results = self._collect(ranks, limit, on_event, cancel)
        except InputError:  # all ranks have answered and can be used again
            raise
        except BaseException:
            self.close()
            raise
        self._timer = threading.Timer(IDLE_SECONDS, self._close_if_idle)
        self._timer.daemon = True
        self._timer.start()
        return results

    def close(self) -> None:
        """End all processes."""
        for rank in self._processes:
            rank.kill()
        self._processes.clear()

    def _collect(
        self, ranks: Sequence[RankProcess], limit: float, on_event: OnEvent, cancel: CancelToken
    ) -> list[dict[str, Any]]:
        results: dict[int, dict[str, Any]] = {}
        errors: dict[int, Mapping[str, Any]] = {}
        heard = dict.fromkeys(range(len(ranks)), time.monotonic())
        deadline = float("inf")
        while len(results) < len(ranks):
            cancel.check()
            with suppress(Empty):
                sender, event = self._events.get(timeout=POLL)
                if sender in ranks:  # not a process of an earlier run
                    number = ranks.index(sender)
                    heard[number] = time.monotonic()
                    if event is None:
                        raise _died(number, sender, len(ranks))
                    if event["event"] == "end":
                        results[number] = event["result"]
                    elif event["event"] == "error":
                        errors[number] = event
                        deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
                    else:
                        on_event(number, event)
            if errors and len(errors) + len(results) == len(ranks):
                raise _failed(errors)
            if time.monotonic() > deadline:
                self.close()  # the other ranks wait for the one that failed
                raise _failed(errors)
            if time.monotonic() - max(heard.values()) > limit:
                silent = min((n for n in heard if n not in results), key=heard.__getitem__)
                raise RankError(
                    f"Rank {silent} of {len(ranks)} sent nothing for {limit:g} s, so the run was "
                    "stopped; use fewer ranks on a busy machine, or a larger limit.",
                    code="parallel.timeout",
                )
        return [results[number] for number in range(len(ranks))]

    def _close_if_idle(self) -> None:
        if self.lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                self.lock.release()


def _died(number: int, rank: RankProcess, count: int) -> RankError:
    status = rank.process.wait()
    message = (
        f"The process of rank {number} of {count} ended with status {status}, so all ranks were "
        "stopped; start the run again, with fewer ranks if memory is short."
    )
    lines = rank.last_lines()
    text = f"{message} Its last lines: {lines}" if lines else message
    return RankError(text, code="parallel.rank_died")


def _failed(errors: Mapping[int, Mapping[str, Any]]) -> WorkbenchError:
    """Return the error of the rank that failed first for a reason of its own."""
    causes = [n for n, e in errors.items() if not any(c in e["message"] for c in CONSEQUENCES)]
    number = min(causes or errors)
    event = errors[number]
    if event["code"] == RankError.default_code:
        return RankError(f"Rank {number} failed with {event['message']}", code=event["code"])
    return InputError(event["message"], code=event["code"])


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder for one run, that only this user can read, and remove it.

    Windows does not remove a file that a rank still maps; it stays with other temporary files then.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


_pool: Pool | None = None


def pool() -> Pool:
    """Return the pool of this process; a session's kernel has its own."""
    global _pool
    if _pool is None:
        _pool = Pool()
        atexit.register(_pool.close)
    return _pool
