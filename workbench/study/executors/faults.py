"""Why processes or a cluster cannot measure recipes, each in one sentence."""

from __future__ import annotations

from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any

from workbench.errors import InputError, WorkbenchError, describe

NO_CLUSTER = "study.no_cluster"


def process_died(advice: str) -> WorkbenchError:
    """Return the error of a process that ended while it measured."""
    return WorkbenchError(
        f"A process of the study has died, perhaps from lack of memory: use {advice}; the same "
        "command continues.",
        code="study.process_died",
    )


def no_cluster(address: str) -> InputError:
    """Return the error of a cluster that does not answer, or never had a worker."""
    return InputError(
        f"There is no Dask cluster with workers at {address}: start dask scheduler and dask "
        "worker, or check the address.",
        code=NO_CLUSTER,
    )


def connection_lost(address: str) -> InputError:
    """Return the error of a scheduler that has ended during a study."""
    return InputError(
        f"The connection to the scheduler at {address} was lost: start the cluster again; "
        "the same command continues.",
        code=NO_CLUSTER,
    )


def workers_lost(address: str) -> InputError:
    """Return the error of a cluster whose workers have all ended during a study."""
    return InputError(
        f"The cluster at {address} has no workers any more: start dask worker again; the same "
        "command continues.",
        code=NO_CLUSTER,
    )


def task_failed(future: Any, address: str) -> WorkbenchError:
    """Return the error of a Dask task that has failed, or that was cancelled."""
    try:
        error = future.exception()
    except CancelledError:
        return connection_lost(address)
    if isinstance(error, import_module("distributed").KilledWorker):
        return process_died("fewer workers on a machine")
    return InputError(
        f"A worker fails with {describe(error)}: it must be able to import the classes of the "
        "model.",
        code="study.worker_failed",
    )
