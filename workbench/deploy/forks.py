"""Processes that have loaded a runtime, and make copies of themselves that start at once.

They are kept for two minutes after their last copy has ended.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.deploy.priority import lower_priority
from workbench.fork_server import ForkServer

IDLE_SECONDS = 120.0


@dataclass(frozen=True)
class Program:
    """What a copy runs.

    Attributes
    ----------
    function
        What it calls, as ``module:name``.
    modules
        What is loaded before it is made.
    """

    function: str
    modules: tuple[str, ...]


@dataclass(eq=False)
class _Kept:
    server: ForkServer
    users: int = 0
    timer: threading.Timer | None = None


class Forks:
    """The processes that make copies, by what they run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[Program, bool, str], _Kept] = {}
        atexit.register(self.close)

    def take(
        self, program: Program, variables: Mapping[str, str], *, low_priority: bool
    ) -> ForkServer:
        """Return the process for a program, until `give_back`; a new one if there is none.

        Parameters
        ----------
        variables
            Environment variables of a new one.
        low_priority
            Whether all other work of the machine comes first.
        """
        key = (program, low_priority, variables["PYTHONPATH"])
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or not kept.server.alive:
                kept = self._kept[key] = _Kept(_start(program, variables, low_priority))
            if kept.timer is not None:
                kept.timer.cancel()
            kept.users += 1
            return kept.server

    def give_back(self, server: ForkServer) -> None:
        """Close a process some time later, unless it is taken again."""
        with self._lock:
            for kept in self._kept.values():
                if kept.server is server:
                    kept.users -= 1
                    if kept.timer is not None:
                        kept.timer.cancel()
                    kept.timer = threading.Timer(IDLE_SECONDS, self._close_unused, (kept,))
                    kept.timer.daemon = True
                    kept.timer.start()
                    return
        server.close()  # it ended early, and another one has taken its place

    def _close_unused(self, kept: _Kept) -> None:
        with self._lock:
            if not kept.users:
                self._kept = {key: other for key, other in self._kept.items() if other is not kept}
                kept.server.close()

    def close(self) -> None:
        """Close all processes."""
        with self._lock:
            for kept in self._kept.values():
                kept.server.close()
            self._kept.clear()


def _start(program: Program, variables: Mapping[str, str], low_priority: bool) -> ForkServer:
    server = ForkServer(program.function, program.modules, variables)
    if low_priority:
        lower_priority(server.process.pid)
    return server


FORKS = Forks()
