"""What may be chosen: each check refuses with one sentence, before anything has changed."""

from __future__ import annotations

from math import isfinite
from typing import Any

from workbench import formatting
from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.recipe.train import SELF
from workbench.training.teacher_ref import resolve_teacher
from workbench.zoo import model


def resolve_model(name: str, recipe: Recipe) -> Model:
    """Return the model called `name`, once it is sure that `recipe` fits it.

    Raises
    ------
    WorkbenchError
        When there is no such model, or the recipe names a tensor that it lacks.
    """
    found = model(name)
    recipe.check_names(found.layers)
    return found


def check_training(chosen: Model, recipe: Recipe) -> None:
    """Refuse at once what could only fail after a while.

    Raises
    ------
    WorkbenchError
        When there is no such teacher, the model has too few layers to leave out, or examples that
        are no images are to be shifted or mirrored.
    """
    if recipe.train is None:
        return
    moved = recipe.train.shift or recipe.train.mirror != "never"
    if moved and chosen.task.input_type != "image":
        raise WorkbenchError(
            _("Only images can be shifted or mirrored: set shift to 0 and mirror to never.")
        )
    if recipe.train.teacher:
        resolve_teacher(recipe.train.teacher, chosen)
    most = chosen.architecture.most_left_out if recipe.train.left_out else 0
    if recipe.train.left_out > most:
        raise WorkbenchError(
            _("{model} can leave out {most} of its layers or blocks.").format(
                model=chosen.name, most=formatting.count(most)
            )
        )


def teacher_warning(student: Model, teacher: str) -> str | None:
    """Return a sentence where the teacher is no better than the student, on validation."""
    if teacher in ("", SELF, student.name):
        return None
    found = resolve_teacher(teacher, student)
    ours, theirs = _validated(student, Recipe()), _validated(*found)
    metric = student.task.metric
    if metric.better(theirs, ours):
        return None
    return _(
        "The teacher reaches {theirs} and the student already {ours}: it has little to teach."
    ).format(theirs=metric.format(theirs), ours=metric.format(ours))


def _validated(chosen: Model, recipe: Recipe) -> float:
    if recipe != Recipe():
        from workbench.evaluation.measure import measure

        found: float = measure(chosen, recipe, timed=False).value
        return found
    return chosen.metric_value("validation")


def without_layers(recipe: Recipe) -> Recipe:
    """Return `recipe` without what names single layers."""
    parts = {
        part: {key: value for key, value in fields.items() if key not in ("layers", "exclude")}
        for part, fields in recipe.as_dict().items()
    }
    return Recipe.from_json(parts)


def check_budget(size: int | None) -> int | None:
    """Return `size` in bytes, or raise `WorkbenchError` where it is no limit."""
    if size is not None and size <= 0:
        raise WorkbenchError(_("The size budget must be more than 0 bytes."))
    return size


def check_floor(value: float | None, metric: Metric) -> float | None:
    """Return `value`, a figure of `metric`, or raise `WorkbenchError` where it is no limit."""
    if value is None:
        return None
    if metric.share and not 0 <= value <= 1:
        name = _(metric.name)
        raise WorkbenchError(_("The {metric} floor must be from 0 to 100 %.").format(metric=name))
    if not isfinite(value):
        raise WorkbenchError(_("The limit must be a number, not {value}.").format(value=value))
    return value


def parse_number(text: str | None, key: str, kind: type[int | float]) -> Any:
    """Return what a link gives under `key` as a number, or raise `WorkbenchError`."""
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        message = _("The link gives {key} as {value}, which is not a number.")
        raise WorkbenchError(message.format(key=key, value=repr(text))) from None
