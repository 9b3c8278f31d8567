"""A session's state as the query string of a link: model, recipe and limits."""

from __future__ import annotations

from workbench.recipe.link import from_query, to_query
from workbench.session.checks import (
    check_budget,
    check_floor,
    check_origin,
    check_training,
    parse_number,
    resolve_model,
)
from workbench.session.records import Selection

DEFAULT_MODEL = "fashion/lenet5"
EXTRA_KEYS = frozenset({"budget", "floor", "origin"})


def format_query(selection: Selection, budget: int | None, floor: float | None) -> str:
    """Return the query string that opens `selection` under these limits."""
    extra = {}
    if selection.origin is not None:
        extra["origin"] = selection.origin
    if budget is not None:
        extra["budget"] = str(budget)
    if floor is not None:
        extra["floor"] = f"{floor:g}"
    return to_query(selection.model, selection.recipe, extra)


def parse_query(query: str) -> tuple[Selection, int | None, float | None]:
    """Return the selection, the size budget in bytes and the metric floor of a query string.

    Raises
    ------
    WorkbenchError
        If the link is invalid.
    """
    name, recipe, extra = from_query(query, EXTRA_KEYS)
    budget = check_budget(parse_number(extra.get("budget"), "budget", int))
    selection = Selection(name or DEFAULT_MODEL, recipe, origin=extra.get("origin"))
    check_origin(selection)
    model = resolve_model(selection.model, recipe)
    floor = check_floor(parse_number(extra.get("floor"), "floor", float), model.task.metric)
    check_training(model, recipe)
    return selection, budget, floor
