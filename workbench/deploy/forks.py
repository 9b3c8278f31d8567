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


PYTORCH = (
    "workbench.deploy.prepare",
    "workbench.deploy.sessions.torch",
    "torch.export._trace",
    "onnxscript.function_libs.torch_lib.ops",
)
"""What processes with PyTorch load: those that export, and those that run what was exported."""
READ_WHILE_LOADING = (
    "ATEN_",
    "CUDA",
    "DNNL_",
    "GOMP_",
    "KERAS_",
    "KMP_",
    "LD_",
    "MALLOC_",
    "MKL_",
    "NVIDIA_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "OPENVINO_",
    "ORT_",
    "OV_",
    "PYTHON",
    "PYTORCH_",
    "TORCH",
)
"""How the names of variables begin that libraries may read once, such as which instructions to use.

A copy has all variables of its caller, but what it copies was loaded with earlier ones.
"""
Key = tuple[tuple[str, ...], bool, frozenset[tuple[str, str]]]
"""The modules, whether at a low priority, and the variables that were read."""


@dataclass(eq=False)
class _Entry:
    server: ForkServer
    users: int = 0
    timer: threading.Timer | None = None


class Forks:
    """The processes that make copies, by what they have loaded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Key, _Entry] = {}
        atexit.register(self.close)

    def take(
        self, modules: tuple[str, ...], variables: Mapping[str, str], *, low_priority: bool
    ) -> ForkServer:
        """Return the process with these modules, until `give_back`; a new one if there is none.

        Parameters
        ----------
        variables
            Environment variables. A process that has loaded its modules with other ones of
            `READ_WHILE_LOADING` is not taken.
        low_priority
            Whether all other work of the machine comes first.
        """
        read = frozenset(
            item for item in variables.items() if item[0].startswith(READ_WHILE_LOADING)
        )
        key: Key = (modules, low_priority, read)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or not entry.server.alive:
                entry = self._entries[key] = _Entry(_start(modules, variables, low_priority))
            if entry.timer is not None:
                entry.timer.cancel()
            entry.users += 1
            return entry.server

    def give_back(self, server: ForkServer) -> None:
        """Close a process some time later, unless it is taken again."""
        with self._lock:
            for key, entry in self._entries.items():
                if entry.server is server:
                    entry.users -= 1
                    if entry.timer is not None:
                        entry.timer.cancel()
                    entry.timer = threading.Timer(IDLE_SECONDS, self._close_unused, (key, entry))
                    entry.timer.daemon = True
                    entry.timer.start()
                    return
        server.close()  # it ended early, and another one has taken its place

    def _close_unused(self, key: Key, entry: _Entry) -> None:
        with self._lock:
            if not entry.users:
                entry.server.close()
                if self._entries.get(key) is entry:
                    del self._entries[key]

    def close(self) -> None:
        """Close all processes."""
        with self._lock:
            for entry in self._entries.values():
                entry.server.close()
            self._entries.clear()


def _start(
    modules: tuple[str, ...], variables: Mapping[str, str], low_priority: bool
) -> ForkServer:
    server = ForkServer(modules, variables)
    if low_priority:
        lower_priority(server.process.pid)
    return server


FORKS = Forks()
