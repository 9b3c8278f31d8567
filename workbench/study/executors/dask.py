"""Measure recipes on a Dask cluster (extra `cluster`)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from math import inf
from statistics import median
from typing import Any

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled, InputError, describe
from workbench.experiments.processes import POLL
from workbench.study.executors.allocator import keep_freed_memory
from workbench.study.executors.cluster import NO_CLUSTER, connect, distributed_package
from workbench.study.executors.executor import process_died
from workbench.study.executors.parts import Numbered, first_part
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import Trial
from workbench.threads import threads

LOOK = 1.0
"""Seconds after which the scheduler is asked for its workers again: a question to it takes time
from workers on the same machine."""
RECENT = 64
"""How many of the last recipes say how long one takes."""
WITHOUT_WORKERS = 30
"""Seconds that a study waits for a worker after the last one has ended."""


class Dask:
    """Measures on the workers of a scheduler.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    InputError
        If `distributed` is not installed, or the address is not valid.
    """

    def __init__(self, address: str) -> None:
        self._distributed = distributed_package(address)
        self.address = address
        self._client: Any = None
        self._model: Any = None
        self._queue: list[Numbered] = []
        self._futures: dict[Any, tuple[int, ...]] = {}
        self._seconds: deque[float] = deque(maxlen=RECENT)
        self._threads, self._counted = 0, -inf  # of all workers, and when

    def open(self, model: Model) -> None:
        """Connect, compare versions, and send the model to the cluster once.

        Raises
        ------
        InputError
            If the cluster cannot be reached or has no workers, or if its scheduler or a worker
            has other versions.
        """
        self._client = connect(self._distributed, self.address)
        # A task, not scattered data: if a worker dies, Dask gives the model to another one.
        self._model = self._client.submit(_same, model, pure=False)

    def submit(self, number: int, job: Job) -> None:
        """Queue a job."""
        self._queue.append((number, job))

    def results(self, cancel: CancelToken) -> Iterator[tuple[int, Trial]]:
        """Yield trials in order of completion.

        Raises
        ------
        InputError
            If the connection is lost, if a worker cannot load the model or fails, or if there is
            no worker for half a minute.
        """
        self._send()
        since = time.monotonic()
        while self._futures:
            with suppress(TimeoutError, CancelledError):
                self._distributed.wait(
                    list(self._futures), timeout=POLL, return_when="FIRST_COMPLETED"
                )
            completed = [future for future in self._futures if future.done()]
            for future in completed:
                numbers, trials = self._futures.pop(future), self._result(future)
                self._seconds.extend(trial.seconds for trial in trials)
                self._send()
                yield from zip(numbers, trials, strict=True)
            self._send()  # to workers that have joined
            waited = time.monotonic() - since
            if completed or (waited > LOOK and self._client.scheduler_info()["workers"]):
                since = time.monotonic()
            elif self._futures and waited > WITHOUT_WORKERS:
                raise InputError(
                    f"The cluster at {self.address} has no workers any more: start dask worker "
                    "again; the same command continues.",
                    code=NO_CLUSTER,
                )
            if self._futures and cancel.cancelled:
                raise Cancelled("The study was stopped.")

    def _send(self) -> None:
        """Send queued jobs until each thread of a worker has a task: several fast ones as one task.

        The scheduler would give waiting tasks to a worker before another one is free.
        """
        while self._queue and len(self._futures) < max(1, self._count_threads()):
            part = first_part(self._queue, self._threads, median(self._seconds or [0.0]))
            self._queue = self._queue[len(part) :]
            numbers, jobs = zip(*part, strict=True)
            future = self._client.submit(_measure, self._model, jobs, pure=False)
            self._futures[future] = numbers

    def _count_threads(self) -> int:
        """Return the number of threads of all workers, at most a second old."""
        if time.monotonic() - self._counted > LOOK:
            try:
                self._threads = sum(self._client.nthreads().values())
            except OSError as error:
                raise self._lost() from error
            self._counted = time.monotonic()
        return self._threads

    def _result(self, future: Any) -> Any:
        """Return the result of a task, or raise the reason that there is none as one sentence."""
        try:
            return future.result()
        except CancelledError as error:
            raise self._lost() from error
        except self._distributed.KilledWorker as error:
            raise process_died("fewer workers on a machine") from error
        except Exception as error:
            raise InputError(
                f"A worker fails with {describe(error)}: it must be able to import the classes of "
                "the model.",
                code="study.worker_failed",
            ) from error

    def _lost(self) -> InputError:
        return InputError(
            f"The connection to the scheduler at {self.address} was lost: start the cluster again; "
            "the same command continues.",
            code=NO_CLUSTER,
        )

    def close(self) -> None:
        """Disconnect: the scheduler then drops the jobs that have not begun."""
        if self._client is not None:
            self._client.close()
        self._futures.clear()
        self._queue.clear()
        self._client = self._model = None


def _same(model: Model) -> Model:
    return model


def _measure(model: Model, jobs: Sequence[Job]) -> list[Trial]:
    keep_freed_memory()
    with threads(1):
        return [measure_trial(model, job) for job in jobs]
