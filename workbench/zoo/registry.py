"""Tasks and models by name: built in, of installed packages, and brought."""

from __future__ import annotations

import json

from workbench.artifact.tensor_file import TENSOR_FILE_PREFIX
from workbench.domain.model import Architecture, Model
from workbench.domain.task import Task, unknown_name_error
from workbench.errors import WorkbenchError
from workbench.zoo.plugins import LazyModel, plugin_model, plugins
from workbench.zoo.tables import ARCHITECTURES, CUSTOM_PREFIX, TASKS
from workbench.zoo.user_models import UserModels

_brought = UserModels()


def register_model(model: Model) -> None:
    """Remember a person's own model in place of its namesake, the newest even if nobody holds it.

    As many before it stay as `UserModels` has room for, the others while somebody holds them.
    """
    _brought.put(model)


def tasks() -> tuple[str, ...]:
    """Names of the tasks: the built-in ones, those of installed packages, then those brought."""
    return tuple(_tasks())


def task(name: str) -> Task:
    """Return a task.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name in TASKS:
        return TASKS[name]
    known = _tasks()
    if name not in known:
        raise unknown_name_error("task", name, known)
    return known[name]


def models(task: str | None = None) -> tuple[str, ...]:
    """Names of the models, of one task if given: built in, of installed packages, then brought.

    Raises
    ------
    UnknownNameError
        If there is no such task.
    """
    if task is not None and task not in _tasks():
        raise unknown_name_error("task", task, _tasks())
    return tuple(name for name, one in _known().items() if task in (None, one.task.name))


def title(name: str) -> str:
    """Return the name that a person reads of a model, which is not made for it.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in _known():
        raise unknown_name_error("model", name, _known())
    return _known()[name].title


def _known() -> dict[str, Architecture | LazyModel | Model]:
    return {**ARCHITECTURES, **plugins(), **_brought.listed()}


def _tasks() -> dict[str, Task]:
    return TASKS | {one.task.name: one.task for one in _known().values()}


def architecture(name: str) -> Architecture:
    """Return how a built-in model is built and trained, whether or not it has been trained.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in ARCHITECTURES:
        raise unknown_name_error("model", name, models())
    return ARCHITECTURES[name]


def model(name: str) -> Model:
    """Return a trained built-in model, one that was brought, or one of an installed package.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    WorkbenchError
        If nobody has brought it, its card is missing or damaged, or its package fails; or if it
        names a file of tensors, which has no module.
    """
    found = _brought.get(name)
    if found is not None:
        return found
    if name not in ARCHITECTURES and name in plugins():
        return plugin_model(name)
    if name.startswith(TENSOR_FILE_PREFIX):
        raise WorkbenchError(
            f"The file holds the tensors of {name.removeprefix(TENSOR_FILE_PREFIX)!r} without a model, so "
            "there is no module to run: workbench expand FILE gives the tensors back."
        )
    if _brought.dropped(name):
        raise WorkbenchError(
            f"{name} is no longer in memory, because nothing used it and larger or newer models "
            f"came after it: bring it again with wb.from_module(module, ..., "
            f"name={name.removeprefix(CUSTOM_PREFIX)!r}) and keep what that returns."
        )
    if name.startswith(CUSTOM_PREFIX):
        raise WorkbenchError(
            f"{name} is somebody's own model: bring it first, with wb.from_module(module, ..., "
            f"name={name.removeprefix(CUSTOM_PREFIX)!r}), or upload its file again on the page."
        )
    chosen = architecture(name)
    try:
        card = json.loads(chosen.card.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkbenchError(
            f"The card of {name} is missing or damaged; install the package again, "
            f"or train the model with: python -m workbench.checkpoints {name}"
        ) from error
    return Model(chosen, card)
