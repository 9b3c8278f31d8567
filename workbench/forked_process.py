"""Start a process with text pipes: a copy that a `ForkServer` makes, or a program."""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

import psutil

from workbench.fork_server import ForkServer

POLL = 50
"""Milliseconds between two looks whether a process that is still being made was ended."""


class ForkedProcess:
    """A copy of a process, with those parts of `subprocess.Popen` that its callers need.

    Parameters
    ----------
    server
        The process that makes it, perhaps only once it has loaded its modules.
    function
        What it calls, as ``module:name``. It takes no arguments, and the process ends when it
        returns.
    errors
        The descriptor of the file that its standard error goes to.
    environment
        Its environment variables.

    Attributes
    ----------
    stdin, stdout : text files
        Its standard input and output, once `pid` was read.
    """

    def __init__(
        self, server: ForkServer, function: str, errors: int, environment: Mapping[str, str]
    ) -> None:
        self._server = server
        reading, requests = os.pipe()
        answers, writing = os.pipe()
        server.start((reading, writing, errors))
        os.close(reading)
        os.close(writing)
        self.stdin = os.fdopen(requests, "w", encoding="utf-8")
        self.stdout = os.fdopen(answers, encoding="utf-8")
        with suppress(BrokenPipeError):  # the server has ended, so that `pid` is 0
            request = {"function": function, "environment": dict(environment)}
            self.stdin.write(json.dumps(request) + "\n")
            self.stdin.flush()
        self._output = select.poll()  # unlike `select.select`, for any number of open files
        self._output.register(answers)
        self._lock, self._killed = threading.Lock(), threading.Event()
        self._id: int | None = None
        self._status: int | None = None

    @property
    def pid(self) -> int:
        """The number of the process, as soon as it runs; 0 for ever if it was ended before."""
        with self._lock:
            while self._id is None:
                if self._output.poll(POLL):
                    self._id = int(self.stdout.readline() or 0)
                elif self._killed.is_set():
                    self._id = 0  # `kill` has not ended it, so that no one may wait for it
            return self._id

    @property
    def ended(self) -> bool:
        """Whether it has ended, of a process that writes no more than its number; never waits."""
        return bool(self._output.poll(0))

    def kill(self) -> None:
        """End the process at once. One that is still being made ends with `stdin`."""
        self._killed.set()
        process_id = self.pid
        # Until it is asked for the status, the server does not let the system reuse the number.
        if process_id and self._status is None:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(process_id).kill()

    def close(self) -> None:
        """Close its standard input and output; another thread may still call `kill`."""
        with self._lock:
            self._id = self._id or 0
            for stream in (self.stdin, self.stdout):
                with suppress(BrokenPipeError):  # a request that a dead process did not read
                    stream.close()

    def wait(self) -> int | None:
        """Return the status of a process that ends; None if it is not known."""
        process_id = self.pid
        if process_id and self._status is None:
            self._status = self._server.status(process_id)
        return self._status


def start_process(
    server: ForkServer | None,
    function: str,
    command: Sequence[str],
    errors: int,
    environment: Mapping[str, str],
) -> ForkedProcess | subprocess.Popen[str]:
    """Start a process as a copy that calls `function`, or without a server by `command`.

    The other parameters are those of `ForkedProcess`.
    """
    if server is not None:
        return ForkedProcess(server, function, errors, environment)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=errors,
        text=True,
        encoding="utf-8",
        env=environment,
    )
