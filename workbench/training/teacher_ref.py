"""Which model a recipe's teacher is: built in, as it is or compressed."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from workbench.domain import Model
from workbench.domain.task import SPLITS
from workbench.errors import RecipeError, WorkbenchError
from workbench.recipe import Recipe
from workbench.recipe.link import from_query
from workbench.recipe.schema import brief
from workbench.recipe.train import SELF
from workbench.zoo import model as find
from workbench.zoo import models
from workbench.zoo.registry import register_model as remember
from workbench.zoo.tables import CUSTOM_PREFIX


class TeacherRef(NamedTuple):
    """A model, and how it is compressed before it teaches."""

    model: Model
    recipe: Recipe


def resolve_teacher(text: str, student: Model) -> TeacherRef:
    """Return what `text` names: `SELF`, or a model, after a question mark its recipe.

    ``fashion/resnet?prune.sparsity=0.5&quantize.bits=4`` writes the recipe as links do.

    Raises
    ------
    UnknownNameError
        When there is no such model.
    RecipeError
        When it knows other data than the student, or its recipe is wrong, names a model or what it
        lacks, or trains.
    """
    name, _, query = text.partition("?")
    chosen = student if name == SELF else find(name)
    _check_data(chosen, student)
    try:
        twice, recipe, _others = from_query(query)
    except RecipeError as error:
        raise RecipeError(f"The recipe of the teacher {brief(name)} is wrong. {error}") from None
    if twice is not None:
        raise RecipeError(
            f"The teacher {brief(text)} names its model twice: leave out m={twice}, or put it "
            "before the question mark."
        )
    recipe.check_names(chosen.layers)
    if recipe.train is not None:
        raise RecipeError(
            f"The teacher {chosen.name} would have to be trained first: prune and quantise it "
            "alone, or take it as it is."
        )
    return TeacherRef(chosen, recipe)


def training_dependencies(model: Model, recipe: Recipe) -> str:
    """Name what a trained file depends on beside `model` and `recipe`, for the keys of results.

    The teacher's name, weights and code, and, where training stops early, the held-out data and
    the metric that it stops by; empty without training. A teacher that is not there has no part: it
    is refused when it is to teach.
    """
    train = recipe.train
    if train is None:
        return ""
    found = []
    if train.teacher:
        with suppress(WorkbenchError):
            teacher = resolve_teacher(train.teacher, model).model
            found += [teacher.name, teacher.digest]
    if train.patience:
        found += [model.task.digest("validation"), model.task.metric.name]
    return " ".join(found)


def teacher_ref(teacher: Model) -> str:
    """Return the name by which a recipe finds a teacher that is given as a model.

    Raises
    ------
    RecipeError
        When another model has that name by now.
    """
    try:
        known = find(teacher.name)
    except WorkbenchError:  # it was forgotten
        remember(teacher)
        return teacher.name
    if known.digest != teacher.digest:
        raise RecipeError(
            f"Another model is called {teacher.name} by now: bring the teacher again, under a name "
            "of its own."
        )
    return teacher.name


def compatible_teachers(student: Model) -> tuple[str, ...]:
    """Return the names of the other models of the student's task, and of those on the same data."""
    task = student.task
    same = [name for name in models(task.name) if name != student.name]
    own = [
        name
        for name in models()
        if name.startswith(CUSTOM_PREFIX) and name not in (*same, student.name)
    ]
    digests = [task.digest(split) for split in SPLITS]
    return (
        *same,
        *(n for n in own if [find(n).task.digest(split) for split in SPLITS] == digests),
    )


def _check_data(teacher: Model, student: Model) -> None:
    """Raise `RecipeError` where the two do not know the same data, or not the same classes."""
    if teacher.task == student.task:
        return
    from workbench.domain.data_digest import differing_split  # loads torch, which few need

    split = differing_split(teacher.task, student.task)
    if split is not None and CUSTOM_PREFIX not in (
        teacher.name[: len(CUSTOM_PREFIX)],
        student.name[: len(CUSTOM_PREFIX)],
    ):
        raise RecipeError(
            f"The teacher {teacher.name} is of another task than {student.name}: choose one of "
            f"{student.task.name}."
        )
    if split is not None:
        raise RecipeError(
            f"The {split} data of the teacher {teacher.name} are not those of {student.name}: "
            "bring both with the same data, or choose another."
        )
    theirs, ours = len(teacher.task.classes), len(student.task.classes)
    if theirs != ours:
        raise RecipeError(
            f"The teacher {teacher.name} has outputs for {theirs:,} classes and {student.name} for "
            f"{ours:,}: choose one with as many."
        )
