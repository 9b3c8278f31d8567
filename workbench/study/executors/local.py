"""Measure recipes in processes of this machine, one thread each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled
from workbench.experiments.processes import ENVIRONMENT, POLL, end_with
from workbench.study.executors.allocator import keep_freed_memory
from workbench.study.executors.faults import process_died
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import Trial
from workbench.validation import expect_count

_model: Model | None = None
"""The model of this worker process."""


class Local:
    """Measures in `processes` processes; None for one per core."""

    def __init__(self, processes: int | None = None) -> None:
        from joblib import cpu_count

        self.processes = (
            cpu_count() if processes is None else expect_count(processes, "The number of processes")
        )
        self._pool: Any = None
        self._futures: dict[Future[Trial], int] = {}

    def open(self, model: Model) -> None:
        """Start the processes; each receives the model once."""
        from joblib.externals.loky import ProcessPoolExecutor

        self._pool = ProcessPoolExecutor(
            self.processes, env=ENVIRONMENT, initializer=_begin, initargs=(model, os.getpid())
        )

    def submit(self, number: int, job: Job) -> None:
        """Send a job to the processes."""
        try:
            self._futures[self._pool.submit(_measure, job)] = number
        except BrokenProcessPool as error:
            raise process_died("fewer processes") from error

    def results(self, cancel: CancelToken) -> Iterator[tuple[int, Trial]]:
        """Yield trials in order of completion."""
        while self._futures:
            completed, _ = wait(self._futures, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in completed:
                number = self._futures.pop(future)
                try:
                    yield number, future.result()
                except BrokenProcessPool as error:
                    raise process_died("fewer processes") from error
            if self._futures and cancel.cancelled:
                raise Cancelled("The study was stopped.")

    def close(self) -> None:
        """Kill the processes: what they were measuring is measured again when resumed."""
        self._futures.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None


def _begin(model: Model, parent: int) -> None:
    import torch

    global _model
    end_with(parent)
    keep_freed_memory()  # a Dask cluster of this machine leaves its variable to later processes
    torch.set_num_threads(1)
    _model = model


def _measure(job: Job) -> Trial:
    assert _model is not None
    return measure_trial(_model, job)
