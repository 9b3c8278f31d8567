"""The protocol of executors, and the simplest one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import WorkbenchError
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import Trial


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
    """Measures in this process, with all threads of PyTorch."""

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
        """Measure the queued jobs one after the other."""
        assert self._model is not None
        while self._jobs:
            number, job = self._jobs.pop(0)
            cancel.check()
            yield number, measure_trial(self._model, job, cancel)

    def close(self) -> None:
        """Forget the queued jobs and the model."""
        self._jobs.clear()
        self._model = None


def process_died(advice: str) -> WorkbenchError:
    """Return the error of a process that ended while it measured."""
    return WorkbenchError(
        f"A process of the study has died, perhaps from lack of memory: use {advice}; the same "
        "command continues.",
        code="study.process_died",
    )
