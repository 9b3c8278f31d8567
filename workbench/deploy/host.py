"""Run a package in a process of its own, which may crash or hang without harm."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.deploy.arrays import save_arrays
from workbench.deploy.facts import check_facts
from workbench.deploy.forks import PYTORCH, Program
from workbench.deploy.interpreter import process_variables
from workbench.deploy.package import Package
from workbench.deploy.process import SET_TMPDIR, Process, RuntimeFailedError
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.sessions.session import SESSIONS
from workbench.errors import FileError, file_errors
from workbench.profiling.energy.energy import Energy

SECONDS = 600.0
"""How long loading or a run may take: low priority on a busy machine leaves 5 % of a core."""
LONGEST = 300
"""Characters of a runtime's error that are repeated."""
WORKER = "workbench.deploy.worker"
_SOURCE_LINE = re.compile(r"(?:Exception from |failed at )?\S+\.(?:cc|cpp|h|hpp):\d+:?\s*")
"""Where in its own source a runtime has raised an error."""


@dataclass(frozen=True)
class Calls:
    """The seconds of each call, the share of a processor that they used, and their energy."""

    seconds: list[float]
    processor_share: float
    energy: Energy


class Host(Process):
    """A runtime in another process; use it in a `with` statement.

    The process starts at once, and imports the runtime while the caller goes on.

    Parameters
    ----------
    runtime
        A name in `RUNTIMES`.
    low_priority
        Whether all other work of the machine comes first.

    Attributes
    ----------
    facts : mapping
        What really runs there: provider, version, precision, layers.
    load_seconds, resident_bytes : float, int
        How long loading took the first time, and the memory that the loaded network takes, on
        Linux without the code of the runtime.
    """

    facts: Mapping[str, Any]
    load_seconds: float
    resident_bytes: int
    _loaded: tuple[bytes, int] | None = None
    _quantized = False

    def __init__(self, runtime: str, *, low_priority: bool = False) -> None:
        python = RUNTIMES[runtime].python() or Path(sys.executable)
        super().__init__(
            RUNTIMES[runtime].title,
            [str(python), "-m", WORKER, runtime],
            process_variables(python),
            low_priority=low_priority,
            program=_program(runtime),
        )

    def load(
        self, package: Package, *, threads: int | None = None, seconds: float = SECONDS
    ) -> None:
        """Load a package in place of an earlier one, unless it is loaded with these threads.

        Parameters
        ----------
        threads
            Threads of one call; by default those of the package's target.
        seconds
            How long loading may take.

        Raises
        ------
        RuntimeFailedError
            If the process ends, does not answer in time, refuses the network, or runs it on
            another device or in another precision.
        """
        threads = package.target.threads if threads is None else threads
        if self._loaded == (package.content, threads):
            return
        self._quantized = bool(package.manifest.get("layers", {}).get("quantized", 0))
        network = self.path / package.name
        with file_errors("write", network, SET_TMPDIR):
            network.write_bytes(package.content)
        request = {**package.manifest["target"], "threads": threads, "path": str(network)}
        loaded = self._answer("load", seconds, **request)
        self.facts = loaded["facts"]
        check_facts(package.target, self.facts)
        if self._loaded is None:
            self.load_seconds, self.resident_bytes = loaded["seconds"], loaded["bytes"]
        self._loaded = (package.content, threads)

    def run(
        self, inputs: Sequence[NDArray[Any]], batch: int, *, seconds: float = SECONDS
    ) -> NDArray[Any]:
        """Return the runtime's outputs, [n, ...], for inputs, each [n, ...]."""
        with file_errors("write", self.path, SET_TMPDIR):
            given = save_arrays(inputs, self.path)
        outputs: NDArray[Any] = np.load(self.run_file(given, batch, seconds=seconds))
        return outputs

    def run_file(self, inputs: Sequence[Path], batch: int, *, seconds: float = SECONDS) -> Path:
        """Return the .npy file with the outputs for the inputs in .npy files."""
        returned = self.path / "outputs.npy"
        paths = [str(path) for path in inputs]
        self._answer("run", seconds, inputs=paths, outputs=str(returned), batch=batch)
        return returned

    def time(self, inputs: Sequence[Path], batch: int, calls: int, limit: float) -> Calls:
        """Time up to `calls` calls.

        Parameters
        ----------
        inputs
            .npy files with real inputs, each [n, ...]; calls take different batches of them.
        limit
            Seconds after which no further call starts.
        """
        paths = [str(path) for path in inputs]
        answer = self._answer(
            "time", limit + SECONDS, inputs=paths, batch=batch, calls=calls, limit=limit
        )
        energy = Energy.from_dict(answer["energy"])
        return Calls(answer["seconds"], answer["processor_share"], energy)

    def _answer(self, command: str, seconds: float, **request: Any) -> dict[str, Any]:
        answer = self.ask(command, seconds, **request)
        if "no_room" in answer:
            raise FileError(f"{answer['no_room']}{SET_TMPDIR}", code="deploy.no_room")
        if "error" in answer:
            text = shorten(_SOURCE_LINE.sub("", str(answer["error"])), LONGEST, placeholder=" …")
            raise RuntimeFailedError(
                f"{self._title} refuses the network: {text.rstrip('.')}. Export it for another "
                f"runtime{', or with a recipe without activations' if self._quantized else ''}.",
                code="deploy.runtime_refused",
            )
        return answer


def _program(runtime: str) -> Program | None:
    """Return what a copy of a process runs; None if no process is copied.

    Another Python may have the runtime, and CUDA does not work in a copy of a process that has
    begun to use it.
    """
    other = RUNTIMES[runtime].python() not in {None, Path(sys.executable)}
    if other or runtime == "tensorrt":
        return None
    modules = PYTORCH if runtime == "torch" else (WORKER, SESSIONS + runtime)
    return Program(f"{WORKER}:main", modules)
