"""Measure recipes on a Dask cluster (extra `cluster`)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib import import_module
from typing import Any

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled, InputError, describe
from workbench.experiments.processes import POLL
from workbench.recipe.schema import brief
from workbench.study.executors.executor import process_died
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import Trial
from workbench.threads import threads

TIMEOUT = 10
"""Seconds to wait for the scheduler and its first worker."""
PACKAGES = ("workbench", "torch")
"""Packages whose versions must be the same in the scheduler and in all workers."""
NO_CLUSTER = "study.no_cluster"


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
        try:
            self._distributed = import_module("distributed")
        except ImportError:
            raise InputError(
                "A Dask cluster needs the package distributed: pip install 'workbench[cluster]'.",
                code="study.no_dask",
            ) from None
        if ":" not in str(address):
            raise InputError(
                f"The address of a scheduler is a text such as tcp://10.0.0.5:8786, not "
                f"{brief(address)}.",
                code=NO_CLUSTER,
            )
        self.address = address
        self._client: Any = None
        self._model: Any = None
        self._futures: dict[Any, int] = {}

    def open(self, model: Model) -> None:
        """Connect, compare versions, and send the model to the cluster once.

        Raises
        ------
        InputError
            If the cluster cannot be reached or has no workers, if its scheduler or a worker has
            other versions, or if a worker cannot load the model.
        """
        try:
            self._client = self._distributed.Client(self.address, timeout=TIMEOUT)
            self._client.wait_for_workers(1, timeout=TIMEOUT)
        except Exception as error:  # Dask raises an AssertionError for an unknown host
            self.close()
            raise InputError(
                f"There is no Dask cluster with workers at {self.address}: start dask scheduler "
                "and dask worker, or check the address.",
                code=NO_CLUSTER,
            ) from error
        try:
            self._check_versions()
            # A task, not scattered data: if a worker dies, Dask gives the model to another one.
            self._model = self._client.submit(_same, model, pure=False)
            self._result(self._model)
        except BaseException:
            self.close()
            raise

    def _check_versions(self) -> None:
        known = self._client.get_versions(packages=PACKAGES)
        here = _format(known["client"])
        others = {f"worker {name}": there for name, there in known["workers"].items()}
        for name, there in {"scheduler": known["scheduler"], **others}.items():
            if _format(there) != here:
                raise InputError(
                    f"The {name} has {_format(there)}, and this process has {here}: install the "
                    "same versions.",
                    code="study.worker_version",
                )

    def submit(self, number: int, job: Job) -> None:
        """Send a job to the cluster."""
        self._futures[self._client.submit(_measure, self._model, job, pure=False)] = number

    def results(self, cancel: CancelToken) -> Iterator[tuple[int, Trial]]:
        """Yield trials in order of completion."""
        while self._futures:
            with suppress(TimeoutError, CancelledError):
                self._distributed.wait(
                    list(self._futures), timeout=POLL, return_when="FIRST_COMPLETED"
                )
            for future in [future for future in self._futures if future.done()]:
                yield self._futures.pop(future), self._result(future)
            if self._futures and cancel.cancelled:
                raise Cancelled("The study was stopped.")

    def _result(self, future: Any) -> Any:
        """Return the result of a task, or raise the reason that there is none as one sentence."""
        try:
            return future.result()
        except CancelledError as error:
            raise InputError(
                f"The connection to the scheduler at {self.address} was lost: start the cluster "
                "again; the same command continues.",
                code=NO_CLUSTER,
            ) from error
        except self._distributed.KilledWorker as error:
            raise process_died("fewer workers on a machine") from error
        except Exception as error:
            raise InputError(
                f"A worker fails with {describe(error)}: it must be able to import the classes of "
                "the model.",
                code="study.worker_failed",
            ) from error

    def close(self) -> None:
        """Cancel the jobs and disconnect."""
        if self._client is not None:
            self._client.cancel(list(self._futures))
            self._client.close()
        self._futures.clear()
        self._client = self._model = None


def _format(system: dict[str, Any]) -> str:
    numbers = {name: system["packages"].get(name) for name in PACKAGES}
    return " and ".join(
        f"{name} {number.partition('+')[0]}" if number else f"no {name}"
        for name, number in numbers.items()
    )


def _same(model: Model) -> Model:
    return model


def _measure(model: Model, job: Job) -> Trial:
    with threads(1):
        return measure_trial(model, job)
