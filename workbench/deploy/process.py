"""A process that answers requests, one JSON object per line, and that may crash without harm."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self

from workbench.cancel import NEVER, CancelToken
from workbench.deploy.forks import FORKS, Program
from workbench.deploy.priority import lower_priority
from workbench.errors import WorkbenchError, file_errors
from workbench.fork_server import AVAILABLE, ForkServer
from workbench.forked_process import ForkedProcess, start_process

SET_TMPDIR = " Set TMPDIR to a folder with more room."
POLL = 0.05
"""Seconds between two checks of a cancel token."""
LAST_LINES = 3
"""Lines of the process's last words that an error repeats."""


class RuntimeFailedError(WorkbenchError, RuntimeError):
    """The runtime crashed, hung, or refused the network."""

    default_code = "deploy.runtime_failed"


class Process:
    """A process that answers requests; use it in a `with` statement.

    Parameters
    ----------
    title
        Its name in errors.
    command
        What starts it.
    variables
        Its environment variables.
    low_priority
        Whether all other work of the machine comes first.
    program
        The same as `command` for a copy of a process, which is made instead where that is possible.

    Attributes
    ----------
    path : Path
        A folder for its files.
    """

    def __init__(
        self,
        title: str,
        command: Sequence[str],
        variables: Mapping[str, str],
        *,
        low_priority: bool = False,
        program: Program | None = None,
    ) -> None:
        self._title = title
        with file_errors("write", "temporary files", SET_TMPDIR):
            self._folder = tempfile.TemporaryDirectory(prefix="workbench-")
            self.path = Path(self._folder.name)
            self._words: IO[bytes] = (self.path / "words.txt").open("w+b")
        self._server: ForkServer | None = None
        function = ""
        if program is not None and AVAILABLE:
            self._server = FORKS.take(program.modules, variables, low_priority=low_priority)
            function = program.function
        self._process = start_process(
            self._server, function, command, self._words.fileno(), variables
        )
        if low_priority and self._server is None:
            with suppress(ProcessLookupError):  # it has ended, which the first request notices
                lower_priority(self._process.pid)

    def ask(self, command: str, seconds: float, **request: Any) -> dict[str, Any]:
        """Return the answer to a request.

        Raises
        ------
        RuntimeFailedError
            If the process ends or does not answer in time.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        hung = threading.Event()

        def end() -> None:
            hung.set()
            self._process.kill()
            if self._server is not None and not self._process.pid:
                self._server.close()  # loading hangs, for later processes too

        timer = threading.Timer(seconds, end)
        timer.start()
        line = ""
        try:
            if self._process.pid:
                with suppress(BrokenPipeError):  # it has ended
                    self._process.stdin.write(json.dumps({"command": command, **request}) + "\n")
                    self._process.stdin.flush()
                    line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            if hung.is_set():
                reason = f"did not answer within {seconds:g} s"
            elif self._process.pid:
                status = self._process.wait()
                reason = "ended" if status is None else f"ended with status {status}"
            else:
                reason = "could not be started"
            raise RuntimeFailedError(
                f"{self._title} {reason}{self._last_words()}.", code="deploy.runtime_ended"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        self._words.flush()
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return f": {' '.join(lines[-LAST_LINES:])}" if lines else ""

    def end(self) -> None:
        """End the process at once; a request that waits for it fails."""
        self._process.kill()

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.kill()
        self._process.wait()
        if isinstance(self._process, ForkedProcess):
            self._process.close()
        else:
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(BrokenPipeError):  # a request that a dead process did not read
                    if stream is not None:
                        stream.close()
        self._words.close()
        if self._server is not None:
            FORKS.give_back(self._server)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@contextmanager
def ended_on_cancel(processes: Sequence[Process], cancel: CancelToken) -> Iterator[None]:
    """End processes as soon as `cancel` is cancelled, also while a request waits for one.

    Raises
    ------
    Cancelled
        If a request failed because of this.
    """
    if cancel is NEVER:
        yield
        return
    exited = threading.Event()

    def watch() -> None:
        while not exited.wait(POLL):
            if cancel.cancelled:
                for process in processes:
                    process.end()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    except RuntimeFailedError:
        cancel.check()
        raise
    finally:
        exited.set()
        thread.join()
