"""Resolve the teacher that a recipe names: a model, optionally compressed."""

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
from workbench.zoo import model as find, models
from workbench.zoo.registry import advice_if_not_registered, register_model
from workbench.zoo.tables import CUSTOM_PREFIX


class TeacherRef(NamedTuple):
    """A teacher model and the recipe that compresses it."""

    model: Model
    recipe: Recipe


def resolve_teacher(text: str, student: Model) -> TeacherRef:
    """Return the teacher that `text` names: `SELF` or a model, optionally with ``?`` and a query.

    The query writes a recipe as links do: ``fashion/resnet?prune.sparsity=0.5&quantize.bits=4``.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    RecipeError
        If the teacher has other data than the student, or its recipe is invalid, names a model
        or an unknown layer, or trains.
    """
    name, _, query = text.partition("?")
    with advice_if_not_registered(
        "call {call} first; on the command line, call it in the code of the student."
    ):
        teacher = student if name == SELF else find(name)
    _check_data(teacher, student)
    try:
        named, recipe, _unknown = from_query(query)
    except RecipeError as error:
        raise RecipeError(
            f"The recipe of the teacher {brief(name)} is invalid. {error}",
            code="training.teacher_recipe",
        ) from None
    if named is not None:
        raise RecipeError(
            f"The teacher {brief(text)} names its model twice: leave out m={named}, or put it "
            "before the question mark.",
            code="training.teacher_named_twice",
        )
    recipe.check_names(teacher.layers, teacher.other_tensors)
    if recipe.train is not None:
        raise RecipeError(
            f"The recipe of the teacher {teacher.name} trains, which a teacher cannot: only prune "
            "and quantize it, or use it uncompressed.",
            code="training.teacher_trains",
        )
    return TeacherRef(teacher, recipe)


def training_dependencies(model: Model, recipe: Recipe) -> str:
    """Return what a trained file depends on in addition to `model` and `recipe`, for cache keys.

    This is the teacher's name and digest, and for early stopping the validation data and the
    metric. It is empty without training. A missing teacher is skipped: training reports it.
    """
    train = recipe.train
    if train is None:
        return ""
    dependencies = []
    if train.teacher:
        with suppress(WorkbenchError):
            teacher = resolve_teacher(train.teacher, model).model
            dependencies += [teacher.name, teacher.digest]
    if train.patience:
        dependencies += [model.task.digest("validation"), model.task.metric.name]
    return " ".join(dependencies)


def teacher_ref(teacher: Model) -> str:
    """Return the name by which a recipe refers to the model `teacher`. Register it if needed.

    Raises
    ------
    RecipeError
        If another model has that name now.
    """
    try:
        known = find(teacher.name)
    except WorkbenchError:  # removed from the registry
        register_model(teacher)
        return teacher.name
    if known.digest != teacher.digest:
        raise RecipeError(
            f"Another model is called {teacher.name} now: register the teacher again under another "
            "name.",
            code="training.teacher_name_taken",
        )
    return teacher.name


def compatible_teachers(student: Model) -> tuple[str, ...]:
    """Return the names of the other models of the student's task, and of those on the same data."""
    task = student.task
    same = [name for name in models(task.name) if name != student.name]
    custom = [
        name
        for name in models()
        if name.startswith(CUSTOM_PREFIX) and name not in (*same, student.name)
    ]
    digests = [task.digest(split) for split in SPLITS]
    return (
        *same,
        *(n for n in custom if [find(n).task.digest(split) for split in SPLITS] == digests),
    )


def _check_data(teacher: Model, student: Model) -> None:
    """Raise `RecipeError` if teacher and student have different data or numbers of classes."""
    if teacher.task == student.task:
        return
    from workbench.domain.data_digest import differing_split  # loads torch, which few need

    split = differing_split(teacher.task, student.task)
    is_custom = any(model.name.startswith(CUSTOM_PREFIX) for model in (teacher, student))
    if split is not None and not is_custom:
        raise RecipeError(
            f"The teacher {teacher.name} belongs to a different task than {student.name}: choose a "
            f"model of {student.task.name}.",
            code="training.teacher_task",
        )
    if split is not None:
        raise RecipeError(
            f"The {split} data of the teacher {teacher.name} differs from that of {student.name}: "
            "register both with the same data, or choose another teacher.",
            code="training.teacher_data",
        )
    theirs, ours = len(teacher.task.classes), len(student.task.classes)
    if theirs != ours:
        raise RecipeError(
            f"The teacher {teacher.name} has {theirs:,} classes and {student.name} has {ours:,}: "
            "choose a teacher with as many classes.",
            code="training.teacher_classes",
        )
