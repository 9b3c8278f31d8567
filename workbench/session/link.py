"""A session's state as the query string of a link: model, recipe and limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench import zoo
from workbench.domain import Model
from workbench.errors import WorkbenchError
from workbench.faults import Faults
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.recipe.link import from_query, read_query, to_query
from workbench.session.checks import (
    check_budget,
    check_floor,
    check_origin,
    check_training,
    parse_number,
)
from workbench.session.records import Selection
from workbench.training.teacher_ref import resolve_teacher

DEFAULT_MODEL = "fashion/lenet5"
PARALLEL = "parallel"
"""The key of the last parallel run."""
EXTRA_KEYS = frozenset({"budget", "floor", "origin", PARALLEL})


def format_query(
    selection: Selection, budget: int | None, floor: float | None, parallel: str = ""
) -> str:
    """Return the query string that opens `selection` under these limits, with a parallel run."""
    extra = {}
    if selection.origin is not None:
        extra["origin"] = selection.origin
    if budget is not None:
        extra["budget"] = str(budget)
    if floor is not None:
        extra["floor"] = f"{floor:g}"
    if parallel:
        extra[PARALLEL] = parallel
    return to_query(selection.model, selection.recipe, extra)


def parse_query(query: str) -> tuple[Selection, int | None, float | None]:
    """Return the selection, the size budget in bytes and the metric floor of a query string.

    Raises
    ------
    WorkbenchError
        If the link is invalid. It names everything that is wrong.
    """
    faults = Faults()
    name, recipe, extra = read_query(query, EXTRA_KEYS, faults)
    is_readable = not faults
    budget = floor = model = None
    with faults.collected(), _naming("budget"):
        budget = check_budget(parse_number(extra.get("budget"), "budget", int))
    selection = Selection(name or DEFAULT_MODEL, recipe, origin=extra.get("origin"))
    with faults.collected(), _naming("m"):
        model = zoo.model(selection.model)
    if model is not None:
        with faults.collected(), _naming("origin"):
            check_origin(selection)
        if is_readable:
            with faults.collected():
                _check_recipe(model, recipe)
        with faults.collected(), _naming("floor"):
            text = extra.get("floor")
            floor = check_floor(parse_number(text, "floor", float), model.task.metric)
    faults.check()
    return selection, budget, floor


def _check_recipe(model: Model, recipe: Recipe) -> None:
    recipe.check_names(model.layers)
    if recipe.train is not None and recipe.train.teacher:
        with _naming("train.teacher"):
            resolve_teacher(recipe.train.teacher, model)
    check_training(model, recipe)


def parse_parallel(query: str) -> str:
    """Return the key of the parallel run of a query string, or an empty text."""
    return from_query(query, EXTRA_KEYS)[2].get(PARALLEL, "")


@contextmanager
def _naming(key: str) -> Iterator[None]:
    """Name the key of the link that is to change in the errors of the body."""
    try:
        yield
    except WorkbenchError as error:
        message = _("Change {key}: {reason}")
        if key in EXTRA_KEYS:
            message = _("Change or remove {key}: {reason}")
        raise type(error)(message.format(key=key, reason=error), code=error.code) from error
