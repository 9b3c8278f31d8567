"""Actions of the page Choose: search, select a result, save the measurements."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

from workbench.cancel import CancelToken
from workbench.domain.metric import ACCURACY
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels.actions.background import run_job
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.actions.sending import send_file
from workbench.panels.choosing import MAX_SECONDS, limits, seconds_text
from workbench.panels.goal import limit
from workbench.panels.search_notebook import can_repeat, search_notebook
from workbench.plots import study
from workbench.recipe import Recipe
from workbench.session import Session
from workbench.session.choosing import Demand
from workbench.session.records import Goal


@action
def choose(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Search recipes under limits."""
    seconds = limit(message.get("seconds"), 0, MAX_SECONDS, seconds_text())
    if seconds is None:
        raise InputError(seconds_text(), code="session.invalid_limit")
    size, accuracy, energy = limits(message)
    demand = Demand(size, accuracy, seconds, dashboard.session.focus.narrowed, energy)
    dashboard.session.set_limits(demand.limits)
    _start(dashboard, demand)


@action
def continue_choosing(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Continue a search that was stopped: what was measured is not measured again."""
    session = dashboard.session
    if session.choosing is not None:
        _start(dashboard, replace(session.choosing.demand, narrowed=session.focus.narrowed))


@action
def choose_limits(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Set the limits of the next search."""
    dashboard.session.set_limits(limits(message))


@action
def choose_recipe(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select a recipe that was measured, of another model if it names one.

    The limits of the search become the goal.
    """
    recipe, name = Recipe.from_json(str(message.get("recipe"))), message.get("model")
    session = dashboard.session
    goal = None if session.choosing is None else _goal_of(session, session.choosing.demand)
    if name is None:
        session.set(recipe, goal=goal)
    else:
        session.open(str(name), recipe, goal)


@action
def choose_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Save all measurements of the search as CSV."""
    choosing = dashboard.session.choosing
    result = choosing.recommendation if choosing is not None else None
    if result is None:
        raise InputError(_("Nothing is measured yet."), code="session.nothing_measured")
    rows = study.rows(result.result)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    send_file(dashboard, "recipes.csv", "text/csv", text.getvalue().encode())


@action
def choose_notebook(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Save a notebook that repeats the search and the recommended recipe."""
    choosing = dashboard.session.choosing
    result = choosing.recommendation if choosing is not None else None
    if choosing is None or result is None or not result.choices:
        raise InputError(_("Nothing is measured yet."), code="session.nothing_measured")
    if not can_repeat(result):
        raise InputError(
            _(
                "A notebook cannot open {model}, which is only in this session: save the file."
            ).format(model=result.model.name),
            code="session.not_repeatable",
        )
    content = json.dumps(search_notebook(result, choosing.demand), indent=1)
    send_file(dashboard, "search.ipynb", "application/x-ipynb+json", content.encode())


def _goal_of(session: Session, demand: Demand) -> Goal:
    is_accuracy = session.model.task.metric == ACCURACY
    floor = demand.min_accuracy if is_accuracy else session.floor
    return Goal(demand.max_bytes, floor, demand.limits)


def _start(dashboard: Dashboard, demand: Demand) -> None:
    run_job("choose", _search, dashboard, demand)


def _search(dashboard: Dashboard, cancel: CancelToken, demand: Demand) -> None:
    dashboard.session.choose(demand, cancel)
