"""Models of installed packages: found by entry points, built when first requested."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from typing import Any, Protocol, runtime_checkable

from workbench.domain.model import Model
from workbench.domain.task import Task
from workbench.errors import InputError, WorkbenchError, describe
from workbench.zoo.tables import ARCHITECTURES, CUSTOM_PREFIX, TASKS
from workbench.zoo.user_models import UserModels

GROUP = "workbench.models"
"""The entry-point group. Each entry names a function that returns a list of plug-ins."""
SHIPPED = (
    EntryPoint("minilm", "workbench.contrib.minilm:plugins", GROUP),
    EntryPoint("silero", "workbench.contrib.silero:plugins", GROUP),
)
"""Plug-ins of this package; they return models if an optional package is installed."""

_log = logging.getLogger("workbench")
_loading, _building = RLock(), RLock()
_by_group: dict[str, dict[str, LazyModel]] = {}
_built = UserModels()


@runtime_checkable
class LazyModel(Protocol):
    """A model that is built on request; its name, title and task are known before."""

    @property
    def name(self) -> str:
        """The identifier; it contains a slash."""

    @property
    def title(self) -> str:
        """The display name."""

    @property
    def task(self) -> Task:
        """The task: a built-in one, or one that the plug-in defines."""

    def model(self) -> Model:
        """Build the model."""


def plugins() -> dict[str, LazyModel]:
    """Return the models of all installed packages by name.

    A package that fails is logged, and its remaining models are left out.
    """
    with _loading:
        if GROUP not in _by_group:
            _by_group[GROUP] = {}  # a plug-in that lists models meanwhile sees the earlier ones
            _load(_by_group[GROUP])
        return _by_group[GROUP]


def _load(loaded: dict[str, LazyModel]) -> None:
    tasks: dict[str, Task] = {}
    for point in (*SHIPPED, *sorted(entry_points(group=GROUP))):
        try:
            for plugin in _plugins_of(point):
                _check(plugin, loaded, tasks)
                loaded[plugin.name] = plugin
                tasks[plugin.task.name] = plugin.task
        except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way
            reason = str(error) if isinstance(error, WorkbenchError) else describe(error)
            _log.warning("Some models of the plug-in %s are missing: %s", point.name, reason)


def plugin_model(name: str) -> Model:
    """Return the plug-in model called `name`. It is built at the first call.

    `UserModels` says how long it stays in memory if nothing refers to it; then it is built again.

    Raises
    ------
    WorkbenchError
        If the plug-in cannot build it.
    """
    with _building:  # several pages may request it at once
        built = _built.get(name)
        if built is None:
            built = _build(name)
            _built.put(built)
        return built


def _build(name: str) -> Model:
    try:
        return plugins()[name].model()
    except WorkbenchError:
        raise
    except Exception as error:
        raise WorkbenchError(
            f"The plug-in model {name} cannot be built: {describe(error)}", code="plugin.failed"
        ) from error


def _plugins_of(point: EntryPoint) -> list[Any]:
    plugins = point.load()()
    if not isinstance(plugins, list):
        raise InputError(
            f"{point.value} must return a list of wb.ModelPlugin, not {type(plugins).__name__}.",
            code="plugin.invalid",
        )
    return plugins


def _check(plugin: Any, loaded: dict[str, LazyModel], tasks: dict[str, Task]) -> None:
    if problem := _problem(plugin, loaded, tasks):
        raise InputError(problem, code="plugin.invalid")


def _problem(plugin: Any, loaded: dict[str, LazyModel], tasks: dict[str, Task]) -> str:
    """Return why a plug-in cannot be used, or an empty string."""
    if not isinstance(plugin, LazyModel) or not isinstance(plugin.task, Task):
        return f"the list contains {type(plugin).__name__} instead of wb.ModelPlugin."
    name, task = plugin.name, plugin.task
    if "/" not in name or name.startswith(CUSTOM_PREFIX):
        return f"{name!r} needs a slash and a first part other than {CUSTOM_PREFIX!r}."
    if name in loaded or name in ARCHITECTURES:
        return f"there is a model {name} already; choose another name."
    if (TASKS | tasks).get(task.name, task) != task:
        return f"there is another task {task.name} already; choose another name."
    return ""
