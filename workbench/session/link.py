"""A session's state as the query string of a link: model, recipe, limits, parallel run and plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from workbench import zoo
from workbench.domain import Model
from workbench.errors import WorkbenchError
from workbench.faults import Faults
from workbench.i18n import _
from workbench.planner.selection import PlanSelection
from workbench.recipe import Recipe
from workbench.recipe.link import read_query, to_query
from workbench.session.checks import (
    check_budget,
    check_floor,
    check_origin,
    check_training,
    number_text,
    parse_number,
)
from workbench.session.plan_link import PLAN_KEYS, format_plan, parse_plan
from workbench.session.records import Goal, Selection
from workbench.training.teacher_ref import resolve_teacher

DEFAULT_MODEL = "fashion/lenet5"
PARALLEL = "parallel"
"""The key of the last parallel run."""
EXTRA_KEYS = frozenset({"budget", "floor", "origin", PARALLEL}) | PLAN_KEYS


@dataclass(frozen=True)
class Link:
    """What a link opens.

    Attributes
    ----------
    selection : Selection
        The model, the recipe and the goal.
    parallel : str
        The key of the last parallel run, or an empty text.
    plan : PlanSelection
        The choices of the page Plan.
    """

    selection: Selection
    parallel: str = ""
    plan: PlanSelection = field(default_factory=PlanSelection)


def format_link(link: Link) -> str:
    """Return the query string that opens a link."""
    selection, extra = link.selection, {}
    if selection.origin is not None:
        extra["origin"] = selection.origin
    if selection.goal.budget is not None:
        extra["budget"] = str(selection.goal.budget)
    if selection.goal.floor is not None:
        extra["floor"] = number_text(selection.goal.floor)
    if link.parallel:
        extra[PARALLEL] = link.parallel
    return to_query(selection.model, selection.recipe, extra | format_plan(link.plan))


def parse_link(query: str) -> Link:
    """Return what a query string opens.

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
    plan = parse_plan(extra, faults)
    faults.check()
    selection = replace(selection, goal=Goal(budget, floor))
    return Link(selection, extra.get(PARALLEL, ""), plan)


def _check_recipe(model: Model, recipe: Recipe) -> None:
    recipe.check_names(model.layers, model.other_tensors)
    if recipe.train is not None and recipe.train.teacher:
        with _naming("train.teacher"):
            resolve_teacher(recipe.train.teacher, model)
    check_training(model, recipe)


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
