"""A process that exports files, started before there is one: it imports what any export needs."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from workbench.deploy.interpreter import process_variables
from workbench.deploy.process import Process

COMMAND = [sys.executable, "-m", "workbench.deploy.prepare"]
SECONDS = 300.0
"""How long the process waits for a file before it ends."""


class Spare:
    """At most one process that waits for a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Process | None = None
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Start the process unless it waits already; in any case it waits from now on."""
        self.keep(self.take())

    def take(self) -> Process:
        """Return the process that waits, or a new one."""
        with self._lock:
            process, self._waiting = self._waiting, None
            if self._timer is not None:
                self._timer.cancel()
        if process is not None and process.running:
            return process
        if process is not None:
            process.close()
        return Process(
            "export", COMMAND, process_variables(Path(sys.executable)), low_priority=True
        )

    def keep(self, process: Process) -> None:
        """Let a process wait for the next file; one that waits already is enough."""
        with self._lock:
            if self._waiting is None:
                self._waiting = process
                self._timer = threading.Timer(SECONDS, self._end, [process])
                self._timer.daemon = True
                self._timer.start()
                return
        process.close()

    def _end(self, process: Process) -> None:
        with self._lock:
            if self._waiting is not process:
                return
            self._waiting = None
        process.close()


SPARE = Spare()
"""That of this process."""
