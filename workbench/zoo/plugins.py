"""Models that installed packages offer: found by their entry points, made when first asked for."""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from typing import Any, Protocol, runtime_checkable

from workbench.domain.model import Model
from workbench.domain.task import Task
from workbench.errors import WorkbenchError
from workbench.zoo.tables import ARCHITECTURES, CUSTOM_PREFIX, TASKS

GROUP = "workbench.models"
"""The group of entry points: each names a function that returns a list of offers."""
SHIPPED = (
    EntryPoint("minilm", "workbench.contrib.minilm:offers", GROUP),
    EntryPoint("silero", "workbench.contrib.silero:offers", GROUP),
)
"""Our own, which offer something where an optional package is installed."""

_log = logging.getLogger("workbench")
_looking, _making = RLock(), RLock()
_found: dict[str, dict[str, LazyModel]] = {}


@runtime_checkable
class LazyModel(Protocol):
    """What is known of a model before it is made."""

    @property
    def name(self) -> str:
        """The identifier, with a slash in it."""

    @property
    def title(self) -> str:
        """The name a person reads."""

    @property
    def task(self) -> Task:
        """The task it is for, built in or its own."""

    def model(self) -> Model:
        """Make it."""


def plugins() -> dict[str, LazyModel]:
    """Return what all installed packages offer, by name; broken ones are named in the log."""
    with _looking:
        if GROUP not in _found:
            _found[GROUP] = {}  # a plug-in that asks for models meanwhile sees those before it
            _look(_found[GROUP])
        return _found[GROUP]


def _look(found: dict[str, LazyModel]) -> None:
    tasks: dict[str, Task] = {}
    for point in (*SHIPPED, *sorted(entry_points(group=GROUP))):
        try:
            for offer in _of(point):
                _check(offer, found, tasks)
                found[offer.name] = offer
                tasks[offer.task.name] = offer.task
        except Exception as error:  # noqa: BLE001 - a stranger's code must not break ours
            why = str(error) if isinstance(error, WorkbenchError) else _told(error)
            _log.warning("Some models of the plug-in %s are missing: %s", point.name, why)


def plugin_model(name: str) -> Model:
    """Return the offered model called `name`, made at the first call.

    Raises
    ------
    WorkbenchError
        When the package that offers it fails to make it.
    """
    with _making:  # several pages may ask at once
        return _made(name)


@cache
def _made(name: str) -> Model:
    try:
        return plugins()[name].model()
    except WorkbenchError:
        raise
    except Exception as error:
        raise WorkbenchError(f"{name} cannot be made: {_told(error)}") from error


def _of(point: EntryPoint) -> list[Any]:
    offered = point.load()()
    if not isinstance(offered, list):
        raise WorkbenchError(
            f"{point.value} must return a list of wb.ModelPlugin, not {type(offered).__name__}."
        )
    return offered


def _check(offer: Any, found: dict[str, LazyModel], tasks: dict[str, Task]) -> None:
    if not isinstance(offer, LazyModel) or not isinstance(offer.task, Task):
        raise WorkbenchError(f"it offers {type(offer).__name__} where wb.ModelPlugin is due.")
    name, task = offer.name, offer.task
    if "/" not in name or name.startswith(CUSTOM_PREFIX):
        raise WorkbenchError(f"{name!r} needs a slash and a first part of its own.")
    if name in found or name in ARCHITECTURES:
        raise WorkbenchError(f"there is a model {name} already.")
    if (TASKS | tasks).get(task.name, task) != task:
        raise WorkbenchError(f"there is another task {task.name} already.")


def _told(error: Exception) -> str:
    said = str(error).splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else f"{type(error).__name__}."
