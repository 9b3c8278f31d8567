"""Connect to a Dask cluster, and compare its versions with those of this process."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from workbench.errors import InputError
from workbench.installation import install_command
from workbench.recipe.schema import brief
from workbench.study.executors.faults import NO_CLUSTER, no_cluster

TIMEOUT = 10
"""Seconds to wait for the scheduler and its first worker."""
PACKAGES = ("workbench", "torch")
"""Packages whose versions must be the same in the scheduler and in all workers."""


def distributed_package(address: object) -> Any:
    """Return the package `distributed`.

    Raises
    ------
    InputError
        If it is not installed, or `address` is not that of a scheduler.
    """
    try:
        package = import_module("distributed")
    except ImportError:
        raise InputError(
            f"A Dask cluster needs the package distributed: {install_command('cluster')}",
            code="study.no_dask",
        ) from None
    if ":" not in str(address):
        raise InputError(
            f"The address of a scheduler is a text such as tcp://10.0.0.5:8786, not "
            f"{brief(address)}.",
            code=NO_CLUSTER,
        )
    return package


def connect(distributed: Any, address: str) -> Any:
    """Return a client of a cluster with at least one worker and the versions of this process.

    Raises
    ------
    InputError
        If the cluster cannot be reached or has no workers, or if versions differ.
    """
    client = None
    try:
        client = distributed.Client(address, timeout=TIMEOUT)
        client.wait_for_workers(1, timeout=TIMEOUT)
    except Exception as error:  # Dask raises an AssertionError for an unknown host
        if client is not None:
            client.close()
        raise no_cluster(address) from error
    try:
        _check_versions(client)
    except BaseException:
        client.close()
        raise
    return client


def _check_versions(client: Any) -> None:
    known = client.get_versions(packages=PACKAGES)
    here = _format(known["client"])
    others = {f"worker {name}": there for name, there in known["workers"].items()}
    for name, there in {"scheduler": known["scheduler"], **others}.items():
        if _format(there) != here:
            raise InputError(
                f"The {name} has {_format(there)}, and this process has {here}: install the same "
                "versions.",
                code="study.worker_version",
            )


def _format(system: dict[str, Any]) -> str:
    numbers = {name: system["packages"].get(name) for name in PACKAGES}
    return " and ".join(
        f"{name} {number.partition('+')[0]}" if number else f"no {name}"
        for name, number in numbers.items()
    )
