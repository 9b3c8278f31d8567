"""The protocol of executors, and the simplest one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import Trial
from workbench.threads import parallel_map


class Executor(Protocol):
    """Measures jobs. The trials are the same wherever they are measured."""

    def open(self, model: Model) -> None:
        """Get ready to measure recipes of `model`."""

    def submit(self, number: int, job: Job) -> None:
        """Begin a job, or queue it."""

    def results(self, cancel: CancelToken) -> Iterator[tuple[int, Trial]]:
        """Yield the number and trial of each submitted job, in order of completion.

        Raises
        ------
        Cancelled
            Soon after `cancel` is cancelled. Jobs that have not ended give no trial.
        """

    def close(self) -> None:
        """End all jobs and processes."""


class InThisProcess:
    """Measures in this process: one recipe on each core, and recipes with training alone.

    Making a file uses one core only, so that a recipe at a time would leave the others idle.
    """

    def __init__(self) -> None:
        self._jobs: list[tuple[int, Job]] = []
        self._model: Model | None = None

    def open(self, model: Model) -> None:
        """Get ready to measure recipes of `model`."""
        self._model = model

    def submit(self, number: int, job: Job) -> None:
        """Queue a job."""
        self._jobs.append((number, job))

    def results(self, cancel: CancelToken) -> Iterator[tuple[int, Trial]]:
        """Measure the queued jobs, and yield their trials in the order of the queue."""
        jobs, self._jobs = self._jobs, []

        def measure(numbered: tuple[int, Job]) -> tuple[int, Trial]:
            assert self._model is not None
            cancel.check()
            return numbered[0], measure_trial(self._model, numbered[1], cancel)

        trained = [numbered for numbered in jobs if numbered[1].recipe.train is not None]
        fast = [numbered for numbered in jobs if numbered[1].recipe.train is None]
        yield from parallel_map(measure, fast)
        yield from map(measure, trained)

    def close(self) -> None:
        """Forget the queued jobs and the model."""
        self._jobs.clear()
        self._model = None
