"""Run a package in a process of its own, which may crash or hang without harm."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from workbench.deploy.interpreter import process_variables
from workbench.deploy.package import Package
from workbench.deploy.priority import lower_priority
from workbench.deploy.runtimes import RUNTIMES
from workbench.errors import WorkbenchError
from workbench.profiling.energy.energy import Energy

LOAD_SECONDS, RUN_SECONDS = 120.0, 600.0
WORKER = ["-m", "workbench.deploy.worker"]
QUIET_LINES = 3
"""Lines of the process's last words that an error repeats."""


@dataclass(frozen=True)
class Calls:
    """The seconds of each call, the share of a processor that they used, and their energy."""

    seconds: list[float]
    processor_share: float
    energy: Energy


class RuntimeFailedError(WorkbenchError, RuntimeError):
    """The runtime crashed, hung, or refused the network."""

    default_code = "deploy.runtime_failed"


class Host:
    """A package that is loaded in its runtime, in another process; use it in a `with` statement.

    Parameters
    ----------
    seconds
        How long loading may take.
    low_priority
        Whether all other work of the machine comes first.

    Attributes
    ----------
    facts : mapping
        What really runs there: provider, version, precision, layers.
    load_seconds : float
        How long loading took.
    resident_bytes : int
        The memory that the loaded network takes.

    Raises
    ------
    RuntimeFailedError
        If the process ends, does not answer in time, or the runtime refuses the network.
    """

    def __init__(
        self, package: Package, *, seconds: float = LOAD_SECONDS, low_priority: bool = False
    ) -> None:
        self._title = RUNTIMES[package.target.runtime].title
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-")
        self.path = Path(self._folder.name)
        self._words: IO[bytes] = (self.path / "words.txt").open("w+b")
        python = RUNTIMES[package.target.runtime].python() or Path(sys.executable)
        self._process = subprocess.Popen(
            [str(python), *WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
            encoding="utf-8",
            env=process_variables(python, package.target.threads),
        )
        try:
            if low_priority:
                lower_priority(self._process.pid)
            network = self.path / package.name
            network.write_bytes(package.content)
            request = {**package.manifest["target"], "path": str(network)}
            loaded = self._ask("load", seconds, **request)
        except BaseException:
            self.close()
            raise
        self.facts: Mapping[str, Any] = loaded["facts"]
        self.load_seconds: float = loaded["seconds"]
        self.resident_bytes: int = loaded["bytes"]

    def run(
        self, inputs: NDArray[Any], batch: int, *, seconds: float = RUN_SECONDS
    ) -> NDArray[Any]:
        """Return the runtime's outputs, [n, ...], for inputs [n, ...]."""
        given, returned = self.path / "inputs.npy", self.path / "outputs.npy"
        np.save(given, inputs)
        self._ask("run", seconds, inputs=str(given), outputs=str(returned), batch=batch)
        outputs: NDArray[Any] = np.load(returned)
        return outputs

    def time(self, inputs: NDArray[Any], batch: int, calls: int, limit: float) -> Calls:
        """Time up to `calls` calls.

        Parameters
        ----------
        inputs
            Real inputs, [n, ...]; calls take different batches of them.
        limit
            Seconds after which no further call starts.
        """
        given = self.path / "timed.npy"
        np.save(given, inputs)
        answer = self._ask(
            "time", limit + RUN_SECONDS, inputs=str(given), batch=batch, calls=calls, limit=limit
        )
        energy = Energy.from_dict(answer["energy"])
        return Calls(answer["seconds"], answer["processor_share"], energy)

    def _ask(self, command: str, seconds: float, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps({"command": command, **request}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            hung = not timer.is_alive()
            timer.cancel()
        if not line:
            status = self._process.wait()
            reason = (
                f"did not answer within {seconds:g} s" if hung else f"ended with status {status}"
            )
            raise RuntimeFailedError(
                f"{self._title} {reason}{self._last_words()}.", code="deploy.runtime_ended"
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            text = " ".join(str(answer["error"]).split())
            raise RuntimeFailedError(
                f"{self._title} refuses the network: {text}", code="deploy.runtime_refused"
            )
        return answer

    def _last_words(self) -> str:
        self._words.flush()
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return f": {' '.join(lines[-QUIET_LINES:])}" if lines else ""

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._words):
            with suppress(BrokenPipeError):  # a request that a dead process did not read
                if stream is not None:
                    stream.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
