"""One process of the pool, as its caller sees it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any

from workbench.fork_server import ForkServer
from workbench.forked_process import start_process

MODULE = "workbench.parallel.worker"
WORKER = [sys.executable, "-m", MODULE]
RANK = f"{MODULE}:main"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "USE_LIBUV": "0"}
LAST_LINES = 3

Event = tuple["RankProcess", Mapping[str, Any] | None]


def environment() -> dict[str, str]:
    """Return the environment variables of ranks."""
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": path}


class RankProcess:
    """One process of the pool.

    Parameters
    ----------
    events
        Where its events go; None after the last.
    server
        The process that makes it, or None to start it as a program.
    """

    def __init__(self, events: SimpleQueue[Event], server: ForkServer | None = None) -> None:
        self._events = events
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `kill` closes it
        self._known, self._ended = threading.Event(), threading.Event()
        self._id = 0
        self._process = start_process(server, RANK, WORKER, self._log.fileno(), environment())
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def id(self) -> int:
        """The number by which the system knows the process, as soon as it runs; else 0."""
        self._known.wait()
        return self._id

    @property
    def alive(self) -> bool:
        """Whether the process runs or starts."""
        return not self._ended.is_set()

    @property
    def ready(self) -> bool:
        """Whether the process has loaded PyTorch, or has ended."""
        return self._known.is_set()

    def status(self) -> int | None:
        """Return the status of the ended process, None if it is not known."""
        return self._process.wait()

    def ask(self, request: Mapping[str, Any]) -> None:
        """Send a command; a dead process is noticed by its missing events."""
        with suppress(OSError):  # the process has died
            self._stdin.write(json.dumps(request) + "\n")
            self._stdin.flush()

    def last_lines(self) -> str:
        """Return the last lines that the process printed, as one line."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return " ".join(lines[-LAST_LINES:])

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for stream in (self._stdin, self._log):
            with suppress(OSError):  # a request that a dead process did not read
                stream.close()

    def _read(self) -> None:
        with self._stdout:
            for line in self._stdout if self._process.pid else ():
                event = json.loads(line)
                if event["event"] == "ready":
                    self._id = event["id"]
                    self._known.set()
                self._events.put((self, event))
        self._ended.set()
        self._known.set()
        self._events.put((self, None))
