"""Checks of a user's choices: each raises one clear error before anything changes."""

from __future__ import annotations

from math import isfinite
from typing import Any

from workbench import zoo
from workbench.arguments import expect_recipe
from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.errors import InputError
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.recipe.train import SELF
from workbench.session.records import Selection
from workbench.training.checks import check_settings
from workbench.training.teacher_ref import resolve_teacher
from workbench.zoo.students import find_student


def resolve_model(name: str, recipe: Recipe) -> Model:
    """Return the model called `name` after checking that `recipe` fits it.

    Raises
    ------
    WorkbenchError
        If there is no such model, or the recipe names a tensor that the model lacks.
    """
    model = zoo.model(name)
    expect_recipe(recipe).check_names(model.layers, model.other_tensors)
    return model


def check_origin(selection: Selection) -> None:
    """Check the origin of `selection`, which is the model that a selected student replaces.

    Raises
    ------
    WorkbenchError
        If the selected model is not a student, or the origin does not exist or has another task.
    """
    if selection.origin is None:
        return
    chosen = find_student(selection.model)
    if chosen is None:
        raise InputError(
            _("Only a student can have an origin, and {model} is not a student.").format(
                model=selection.model
            ),
            code="session.invalid_origin",
        )
    if zoo.model(selection.origin).task != zoo.model(selection.model).task:
        raise InputError(
            _(
                "The student {model} and its origin {origin} have different tasks: choose an "
                "origin with the task of the student, such as {network}."
            ).format(model=selection.model, origin=selection.origin, network=chosen.network),
            code="session.invalid_origin",
        )


def check_training(model: Model, recipe: Recipe) -> None:
    """Check the training settings of `recipe`, so that they do not fail later.

    Raises
    ------
    WorkbenchError
        If there is no such teacher, or the settings do not fit the model or its data.
    """
    if recipe.train is None:
        return
    check_settings(model, recipe.train)
    if recipe.train.teacher:
        resolve_teacher(recipe.train.teacher, model)


def teacher_warning(student: Model, teacher: str) -> str | None:
    """Return a warning if the teacher is no better than the student on validation, else None."""
    if teacher in ("", SELF, student.name):
        return None
    ours = _validation_value(student, Recipe())
    theirs = _validation_value(*resolve_teacher(teacher, student))
    metric = student.task.metric
    if metric.better(theirs, ours):
        return None
    return _(
        "The teacher reaches {theirs} and the student already reaches {ours}: choose a better "
        "teacher."
    ).format(theirs=metric.format(theirs), ours=metric.format(ours))


def _validation_value(model: Model, recipe: Recipe) -> float:
    if recipe == Recipe():
        return model.metric_value("validation")
    from workbench.evaluation.measure import measure

    value: float = measure(model, recipe, timed=False).value
    return value


def without_layers(recipe: Recipe) -> Recipe:
    """Return `recipe` without the settings of individual layers and without exclusions."""
    parts = {
        part: {key: value for key, value in fields.items() if key not in ("layers", "exclude")}
        for part, fields in recipe.as_dict().items()
    }
    return Recipe.from_json(parts)


def check_budget(size: int | None) -> int | None:
    """Return `size`, a limit in bytes, unchanged.

    Raises
    ------
    InputError
        If it is not above 0.
    """
    if size is not None and size <= 0:
        raise InputError(
            _("The size budget must be more than 0 bytes, not {value}.").format(value=size),
            code="session.invalid_budget",
        )
    return size


def check_floor(value: float | None, metric: Metric) -> float | None:
    """Return `value`, a limit on `metric`, unchanged.

    Raises
    ------
    InputError
        If it is not finite, or if the metric is a fraction and the value is not from 0 to 1.
    """
    if value is None:
        return None
    if metric.is_fraction and not 0 <= value <= 1:
        raise InputError(
            _("The {metric} floor must be from 0 to 1, not {value:g}.").format(
                metric=metric.label, value=value
            ),
            code="session.invalid_floor",
        )
    if not isfinite(value):
        raise InputError(
            _("The {metric} floor must be a finite number, not {value}.").format(
                metric=metric.label, value=value
            ),
            code="session.invalid_floor",
        )
    return value


def parse_number(text: str | None, key: str, kind: type[int | float]) -> Any:
    """Return `text`, the value of `key` in a link, as a number; None if it is None.

    Raises
    ------
    InputError
        If it is not a number.
    """
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        message = {
            int: _("{key} must be a whole number, not {value}."),
            float: _("{key} must be a number, not {value}."),
        }[kind]
        raise InputError(
            message.format(key=key, value=brief(text)), code="session.invalid_link"
        ) from None


def number_text(value: float) -> str:
    """Return a number as the text for a link, with all digits; the inverse of `parse_number`."""
    return repr(float(value)).removesuffix(".0")
