"""A session's state as the query string of a link: model, recipe and limits."""

from __future__ import annotations

from workbench.recipe.link import from_query, to_query
from workbench.session.checks import (
    allowed_budget,
    allowed_floor,
    check_training,
    fitting,
    number,
)
from workbench.session.records import Chosen

DEFAULT_MODEL = "fashion/lenet5"
EXTRA_KEYS = frozenset({"budget", "floor"})


def query_of(moment: Chosen, budget: int | None, floor: float | None) -> str:
    """Return the query string that opens `moment` under these limits."""
    extra = {}
    if budget is not None:
        extra["budget"] = str(budget)
    if floor is not None:
        extra["floor"] = f"{floor:g}"
    return to_query(moment.model, moment.recipe, extra)


def opened(query: str) -> tuple[Chosen, int | None, float | None]:
    """Return what a query string opens, the budget and the floor.

    Raises
    ------
    WorkbenchError
        When the link is bad.
    """
    name, recipe, extra = from_query(query, EXTRA_KEYS)
    budget = allowed_budget(number(extra.get("budget"), "budget", int))
    moment = Chosen(name or DEFAULT_MODEL, recipe)
    found = fitting(moment.model, recipe)
    floor = allowed_floor(number(extra.get("floor"), "floor", float), found.task.metric)
    check_training(found, recipe)
    return moment, budget, floor
