"""The process that runs one network in one runtime: `python -m workbench.deploy.worker RUNTIME`.

It imports the runtime and NumPy, never PyTorch: two thread pools would share the cores. Then it
reads one JSON object per line from standard input, and answers each with one on standard output:
``load`` a network, ``run`` all inputs of .npy files in batches, ``time`` calls on real inputs.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from workbench.cache.free_memory import return_free_memory
from workbench.deploy.answering import Answer, answer_requests, private_output
from workbench.deploy.arrays import open_arrays, rows_of
from workbench.deploy.sessions.session import SESSIONS, Array, Session
from workbench.errors import FileError, file_errors
from workbench.profiling.energy.meter import EnergyMeter

WARM_UP_CALLS = 3
"""The most calls before a batch is timed for the first time."""


class Worker:
    """The loaded network of this process."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._fastest: dict[int, float] = {}  # seconds of a call by the size of its batch

    def load(self, request: Mapping[str, Any]) -> Answer:
        """Load a network, and say what runs, how long that took and the memory that it takes."""
        module = import_module(SESSIONS + request["runtime"])
        self._session, self._fastest = None, {}
        path = Path(request["path"])
        # The load may neither free nor reuse memory of an earlier network: it would not be counted.
        gc.collect()
        return_free_memory()
        before, start = _resident(path), time.perf_counter()
        self._session = module.start(path, request)
        seconds = time.perf_counter() - start
        facts = self._session.facts()
        return {"seconds": seconds, "bytes": max(0, _resident(path) - before), "facts": facts}

    def run(self, request: Mapping[str, Any]) -> Answer:
        """Write the outputs for all inputs, in batches."""
        session = self._loaded()
        inputs, batch = open_arrays(request["inputs"]), request["batch"]
        outputs = [
            session.run(rows_of(inputs, start, batch)) for start in range(0, len(inputs[0]), batch)
        ]
        try:
            with file_errors("write", request["outputs"]):
                np.save(request["outputs"], np.concatenate(outputs))
        except FileError as error:
            return {"no_room": str(error)}
        return {}

    def time(self, request: Mapping[str, Any]) -> Answer:
        """Return the seconds and energy of single calls on different batches of the inputs."""
        session = self._loaded()
        inputs = open_arrays(request["inputs"])
        batch = min(request["batch"], len(inputs[0]))
        starts = range(0, len(inputs[0]) - batch + 1, batch)
        batches = [rows_of(inputs, start, batch) for start in starts]
        self._warm_up(session, batches, request["limit"])
        wall, processor = time.perf_counter(), time.process_time()
        seconds: list[float] = []
        meter = EnergyMeter(gpus=False)
        meter.resume()
        while len(seconds) < request["calls"]:
            example = batches[len(seconds) % len(batches)]
            start = time.perf_counter()
            session.run(example)
            seconds.append(time.perf_counter() - start)
            if time.perf_counter() - wall > request["limit"]:
                break
        meter.pause()
        self._fastest[batch] = min(seconds)
        busy = (time.process_time() - processor) / (time.perf_counter() - wall)
        return {
            "seconds": seconds,
            "processor_share": busy,
            "energy": meter.energy.as_dict(),
        }

    def _warm_up(self, session: Session, batches: list[list[Array]], limit: float) -> None:
        """Run calls that are not timed: at first for `limit` seconds, at least one, and one later.

        The later call is left out if one takes longer than `limit`: what other processes leave in
        the caches then hardly changes its time.
        """
        fastest = self._fastest.get(len(batches[0][0]))
        if fastest is not None and fastest > limit:
            return
        start = time.perf_counter()
        for number in range(WARM_UP_CALLS if fastest is None else 1):
            session.run(batches[number % len(batches)])
            if time.perf_counter() - start > limit:
                break

    def _loaded(self) -> Session:
        assert self._session is not None, "load comes first"
        return self._session


def main() -> None:
    """Answer requests until standard input ends."""
    with private_output() as answers:
        worker = Worker()
        commands = {"load": worker.load, "run": worker.run, "time": worker.time}
        # a runtime raises errors of any type
        answer_requests(answers, commands, Exception, lambda e: f"{type(e).__name__}: {e}")


def _resident(network: Path) -> int:
    """Return the bytes of memory of this process, where known without code and other files.

    How much of a library's code is in memory depends on how the process was made.
    """
    process = psutil.Process()
    memory = process.memory_info()
    total: int = memory.rss
    if sys.platform == "linux":
        mapped = [area.rss for area in process.memory_maps() if area.path == str(network)]
        total += sum(mapped) - memory.shared
    return total


if __name__ == "__main__":
    with suppress(Exception):  # loading a network says what is missing
        import_module(SESSIONS + sys.argv[1])
    main()
