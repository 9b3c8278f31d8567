"""Measure recipes on a Dask cluster (extra `cluster`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import Any

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled, InputError
from workbench.experiments.processes import POLL
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import Trial
from workbench.threads import threads

TIMEOUT = 10
"""Seconds to wait for the scheduler and its first worker."""
PACKAGES = ("workbench", "torch")
"""Packages whose versions must be the same on all workers."""


class Dask:
    """Measures on the workers of a scheduler.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    InputError
        If `distributed` is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            self._distributed = import_module("distributed")
        except ImportError:
            raise InputError(
                "A Dask cluster needs the package distributed: pip install 'workbench[cluster]'.",
                code="study.no_dask",
            ) from None
        self.address = address
        self._client: Any = None
        self._model: Any = None
        self._futures: dict[Any, int] = {}

    def open(self, model: Model) -> None:
        """Connect, compare versions, and send the model to the workers once.

        Raises
        ------
        InputError
            If the cluster cannot be reached or has no workers, or a worker has other versions.
        """
        try:
            self._client = self._distributed.Client(self.address, timeout=TIMEOUT)
            self._client.wait_for_workers(1, timeout=TIMEOUT)
        except (OSError, ValueError, TimeoutError) as error:
            self.close()
            raise InputError(
                f"There is no Dask cluster with workers at {self.address}: start dask scheduler "
                "and dask worker, or check the address.",
                code="study.no_cluster",
            ) from error
        here = _versions()
        for worker, there in self._client.run(_versions).items():
            if there != here:
                self.close()
                raise InputError(
                    f"The worker {worker} has {_format(there)}, and this process has "
                    f"{_format(here)}: install the same versions.",
                    code="study.worker_version",
                )
        self._model = self._client.scatter(model, broadcast=True, hash=False)

    def submit(self, number: int, job: Job) -> None:
        """Send a job to the cluster."""
        self._futures[self._client.submit(_measure, self._model, job, pure=False)] = number

    def results(self, cancel: CancelToken) -> Iterator[tuple[int, Trial]]:
        """Yield trials in order of completion."""
        while self._futures:
            with suppress(TimeoutError):
                self._distributed.wait(
                    list(self._futures), timeout=POLL, return_when="FIRST_COMPLETED"
                )
            for future in [future for future in self._futures if future.done()]:
                yield self._futures.pop(future), future.result()
            if self._futures and cancel.cancelled:
                raise Cancelled("The study was stopped.")

    def close(self) -> None:
        """Cancel the jobs and disconnect."""
        if self._client is not None:
            self._client.cancel(list(self._futures))
            self._client.close()
        self._futures.clear()
        self._client = self._model = None


def _versions() -> dict[str, str]:
    return {name: version(name).partition("+")[0] for name in PACKAGES}


def _format(versions: dict[str, str]) -> str:
    return " and ".join(f"{name} {number}" for name, number in versions.items())


def _measure(model: Model, job: Job) -> Trial:
    with threads(1):
        return measure_trial(model, job)
