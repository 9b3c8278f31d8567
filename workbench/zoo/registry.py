"""Tasks and models by name: built-in, of installed packages, and custom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from workbench.arguments import expect_name
from workbench.artifact.foreign_files import (
    check_own_kind,
    did_you_mean,
    is_weights_file,
    similar,
)
from workbench.artifact.tensor_file import TENSOR_FILE_PREFIX
from workbench.domain.model import Architecture, Model
from workbench.domain.task import Task, unknown_name_error
from workbench.errors import FileError, InputError, UnknownNameError
from workbench.zoo.plugins import LazyModel, plugin_model, plugins
from workbench.zoo.student_model import student_model
from workbench.zoo.students import Student, check_name as check_student_name, find_student
from workbench.zoo.tables import ARCHITECTURES, CUSTOM_PREFIX, TASKS
from workbench.zoo.user_models import UserModels

_user_models = UserModels()


class NotRegisteredError(UnknownNameError):
    """A custom model is not registered."""

    default_code = "model.not_registered"
    model = ""

    @classmethod
    def of(cls, model: str, advice: str) -> NotRegisteredError:
        """Return the error that ends with `advice`, which may hold ``{call}``."""
        text = advice.format(call=_registering_call(model))
        error = cls(f"{model} is a custom model that is not registered: {text}")
        error.model = model
        return error


@contextmanager
def advice_if_not_registered(advice: str) -> Iterator[None]:
    """Let the error for a custom model that is not registered say what to do at this place.

    Parameters
    ----------
    advice
        The end of its sentence. ``{call}`` becomes the call that registers the model.

    Raises
    ------
    NotRegisteredError
        In place of that of `model`.
    """
    try:
        yield
    except NotRegisteredError as error:
        raise NotRegisteredError.of(error.model, advice) from None


def register_model(model: Model) -> None:
    """Register a custom model by name; it replaces a model of the same name.

    `UserModels` says how long it stays available if nothing refers to it.
    """
    _user_models.put(model)


def custom_models() -> dict[str, Model]:
    """Return the registered models that are available, by name, to look at their attributes.

    `model` returns one of them to use it.
    """
    return _user_models.available()


def remove_model(name: str) -> None:
    """Remove a custom model by name; its memory is freed when nothing else refers to it."""
    _user_models.remove(name)


def tasks() -> tuple[str, ...]:
    """Return the names of all tasks: built-in, of installed packages, then custom."""
    return tuple(_tasks())


def task(name: str) -> Task:
    """Return a task.

    Parameters
    ----------
    name
        Such as "fashion"; `tasks` lists them all.

    Raises
    ------
    UnknownNameError
        If there is no such task.
    """
    if expect_name(name, "a task", "fashion") in TASKS:
        return TASKS[name]
    known = _tasks()
    if name not in known:
        raise unknown_name_error("task", name, known)
    return known[name]


def models(task: str | None = None) -> tuple[str, ...]:
    """Return the names of all models, or of one task: built-in, of packages, then custom.

    Parameters
    ----------
    task
        The name of a task; all by default.

    Raises
    ------
    UnknownNameError
        If there is no such task.
    """
    if task is not None and expect_name(task, "a task", "fashion") not in _tasks():
        raise unknown_name_error("task", task, _tasks())
    return tuple(name for name, model in _known().items() if task in (None, model.task.name))


def title(name: str) -> str:
    """Return the display name of a model without building the model.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    """
    known = find_student(name) or _known().get(name)
    if known is None:
        raise unknown_name_error("model", name, _known())
    return known.title


def _known() -> dict[str, Architecture | LazyModel | Model]:
    return {**ARCHITECTURES, **plugins(), **_user_models.available()}


def _tasks() -> dict[str, Task]:
    return TASKS | {model.task.name: model.task for model in _known().values()}


def architecture(name: str) -> Architecture:
    """Return the architecture of a built-in model, whether or not it has been trained.

    Raises
    ------
    UnknownNameError
        If there is no such built-in model.
    """
    if name not in ARCHITECTURES:
        raise unknown_name_error("model", name, models())
    return ARCHITECTURES[name]


def model(name: str) -> Model:
    """Return a trained model: built-in, custom, of an installed package, or a shipped student.

    Parameters
    ----------
    name
        Such as "fashion/lenet5" or "custom/NAME"; `models` lists them all.

    Raises
    ------
    InputError
        If `name` is not a string, or is that of a file of tensors, which has no module.
    UnknownNameError
        If there is no such model. A custom model must be registered first.
    FileError
        If the card, or the table of the students, is missing or damaged.
    WorkbenchError
        If the plug-in of the model fails.

    Examples
    --------
    >>> import workbench as wb
    >>> model = wb.model("fashion/mlp-32")
    >>> model.task.name, list(model.layers)
    ('fashion', ['fc1.weight', 'fc2.weight'])
    """
    expect_name(name, "a model", "fashion/lenet5")
    registered = _user_models.get(name)
    if registered is not None:
        return registered
    if name not in ARCHITECTURES and name in plugins():
        return plugin_model(name)
    if (shipped := find_student(name)) is not None:
        return _student_model(shipped)
    if name.startswith(TENSOR_FILE_PREFIX):
        raise InputError(
            f"The file holds the tensors of {name.removeprefix(TENSOR_FILE_PREFIX)!r} without a "
            "model, so there is no module to run; use workbench decompress FILE to restore them.",
            code="model.tensors_only",
        )
    if _user_models.was_dropped(name):
        raise UnknownNameError(
            f"{name} is no longer in memory, because nothing referred to it and newer or larger "
            f"models replaced it; call {_registering_call(name)} again and keep the result.",
            code="model.dropped",
        )
    if name.startswith(CUSTOM_PREFIX):
        raise NotRegisteredError.of(name, "call {call} first.")
    check_student_name(name)
    _check_is_no_file(name)
    built_in = architecture(name)
    try:
        card = json.loads(built_in.card.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(
            f"The card of {name} is missing or damaged; install the package again, "
            f"or train the model with: python -m workbench.checkpoints {name}",
            code="model.card_damaged",
        ) from error
    return Model(built_in, card)


def _registering_call(name: str) -> str:
    return f"wb.from_module(module, ..., name={name.removeprefix(CUSTOM_PREFIX)!r})"


def _check_is_no_file(name: str) -> None:
    """Raise an error that says what to do if `name` is, or looks like, a file or a folder.

    Raises
    ------
    InputError
        If it is a file of tensors, which has no module, or a folder.
    UnknownNameError
        If it looks like the name of a file or folder, and not like that of a model.
    WorkbenchError
        If it is a file of another program, or a missing file of weights.
    """
    path = Path(name)
    if name in ARCHITECTURES or not name:
        return
    if not (is_weights_file(name) or path.is_absolute() or path.exists()):
        close = similar(path)
        if close and not get_close_matches(name, models(), 1):
            raise UnknownNameError(
                f"There is neither a model nor a file or folder {name!r}{did_you_mean(close)}.",
                code="name.unknown",
            )
        return
    check_own_kind(path)
    advice = (
        "workbench learn trains a network on a table or on pictures, as do wb.from_table and "
        "wb.from_pictures, whose models wb.optimize and the others take."
    )
    if is_weights_file(name):
        advice = (
            "workbench compress, inspect and compare take files of tensors, and wb.from_module "
            "takes the module that they fit."
        )
    raise InputError(
        f"{name} is a file or folder, not the name of a model: {advice}",
        code="model.is_a_file",
    )


@cache
def _student_model(shipped: Student) -> Model:
    return student_model(shipped, model(shipped.network))
