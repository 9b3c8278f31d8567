"""Measure recipes on a Dask cluster (extra `cluster`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from statistics import median

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled
from workbench.experiments.processes import POLL
from workbench.study.executors.cluster import connect, distributed_package
from workbench.study.executors.parts import Numbered, first_part, may_wait
from workbench.study.executors.tasks import Tasks
from workbench.study.measurement import Job
from workbench.study.trial import Trial

RECENT = 64
"""How many of the last recipes say how long one takes."""


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
        self._tasks: Tasks | None = None
        self._queue: list[Numbered] = []
        self._seconds: deque[float] = deque(maxlen=RECENT)

    def open(self, model: Model) -> None:
        """Connect, compare versions, and send the model to the cluster once.

        Raises
        ------
        InputError
            If the cluster cannot be reached or has no workers, or if its scheduler or a worker
            has other versions.
        """
        self._tasks = Tasks(connect(self._distributed, self.address), self.address, model)

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
        assert self._tasks is not None
        while self._send(self._tasks):
            trials = self._tasks.receive(POLL)
            self._seconds.extend(trial.seconds for _number, trial in trials)
            self._send(self._tasks)
            yield from trials
            if cancel.cancelled and (self._queue or self._tasks.running):
                raise Cancelled("The study was stopped.")

    def _send(self, tasks: Tasks) -> bool:
        """Send jobs to workers that are free, or soon will be, and return whether some remain."""
        seconds = median(self._seconds or [0.0])
        while self._queue:
            workers = tasks.count_threads()
            worker = tasks.next_worker(2 if may_wait(self._queue, workers, seconds) else 1)
            if worker is None:
                break
            part = first_part(self._queue, workers, seconds)
            self._queue = self._queue[len(part) :]
            tasks.send(part, worker)
        return bool(self._queue or tasks.running)

    def close(self) -> None:
        """Disconnect: the scheduler then drops the jobs that have not begun."""
        if self._tasks is not None:
            self._tasks.close()
        self._queue.clear()
        self._tasks = None
