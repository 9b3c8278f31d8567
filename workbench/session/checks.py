"""What may be chosen: each check refuses with one sentence, before anything has changed."""

from __future__ import annotations

from typing import Any

from workbench import figures
from workbench.errors import WorkbenchError
from workbench.recipe import Recipe
from workbench.recipe.train import SELF
from workbench.text import _
from workbench.training.teacher_name import teacher_named
from workbench.zoo import Model, model


def fitting(name: str, recipe: Recipe) -> Model:
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
        When there is no such teacher, or the model has too few layers to leave out.
    """
    if recipe.train is None:
        return
    if recipe.train.teacher:
        teacher_named(recipe.train.teacher, chosen)
    most = chosen.architecture.most_left_out if recipe.train.left_out else 0
    if recipe.train.left_out > most:
        raise WorkbenchError(
            _("{model} can leave out {most} of its layers or blocks.").format(
                model=chosen.name, most=figures.count(most)
            )
        )


def teacher_warning(student: Model, teacher: str) -> str | None:
    """Return a sentence where the teacher is no better than the student, on validation."""
    if teacher in ("", SELF, student.name):
        return None
    found = teacher_named(teacher, student)
    ours, theirs = _validated(student, Recipe()), _validated(*found)
    if theirs > ours:
        return None
    return _(
        "The teacher reaches {theirs} and the student already {ours}: it has little to teach."
    ).format(theirs=figures.percent(theirs), ours=figures.percent(ours))


def _validated(chosen: Model, recipe: Recipe) -> float:
    if recipe != Recipe():
        from workbench.evaluation.measure import measure

        found: float = measure(chosen, recipe, timed=False).accuracy
        return found
    counted = chosen.card["accuracy"]["validation"]
    return float(counted["correct"] / counted["examples"])


def without_layers(recipe: Recipe) -> Recipe:
    """Return `recipe` without what names single layers."""
    parts = {
        part: {key: value for key, value in fields.items() if key not in ("layers", "exclude")}
        for part, fields in recipe.as_dict().items()
    }
    return Recipe.from_json(parts)


def allowed_budget(size: int | None) -> int | None:
    """Return `size` in bytes, or raise `WorkbenchError` where it is no limit."""
    if size is not None and size <= 0:
        raise WorkbenchError(_("The size budget must be more than 0 bytes."))
    return size


def allowed_floor(accuracy: float | None) -> float | None:
    """Return `accuracy`, 0 to 1, or raise `WorkbenchError` where it is no limit."""
    if accuracy is not None and not 0 <= accuracy <= 1:
        raise WorkbenchError(_("The accuracy floor must be from 0 to 100 %."))
    return accuracy


def number(text: str | None, key: str, kind: type[int | float]) -> Any:
    """Return what a link gives under `key` as a number, or raise `WorkbenchError`."""
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        message = _("The link gives {key} as {value}, which is not a number.")
        raise WorkbenchError(message.format(key=key, value=repr(text))) from None
