"""Actions of the page Choose: search, select a result, save the measurements."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

from workbench.cancel import CancelToken
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels.actions.background import run_job
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.actions.sending import send_file
from workbench.panels.choosing import seconds_text
from workbench.panels.goal import limit
from workbench.panels.search_limits import KEYS, MAX_SECONDS, limits, next_limits, suggested
from workbench.panels.search_notebook import can_repeat, search_notebook
from workbench.plots import study
from workbench.recipe import Recipe
from workbench.session.choosing import Demand


@action
def choose(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Search for recipes that meet the limits in `message`."""
    seconds = limit(message.get("seconds"), 0, MAX_SECONDS, seconds_text())
    if seconds is None:
        raise InputError(seconds_text(), code="session.invalid_limit")
    session, answers = dashboard.session, limits(message)
    session.set_focus(search_seconds=seconds)
    before = dict(zip(KEYS, next_limits(session), strict=True))
    free = suggested(session)
    new = {key: value for key, value in answers.items() if key in free or value != before[key]}
    if new:
        session.set_limits(new)
    size, accuracy, energy = next_limits(session)
    _start(dashboard, Demand(size, accuracy, seconds, session.focus.narrowed, energy))


@action
def continue_choosing(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Continue a search that was stopped, without measuring any recipe again."""
    session = dashboard.session
    if session.choosing is not None:
        _start(dashboard, replace(session.choosing.demand, narrowed=session.focus.narrowed))


@action
def choose_limits(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Set the limits of the next search."""
    dashboard.session.set_limits(limits(message))


@action
def choose_recipe(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select a recipe that was measured; if `message` names another model, open that model.

    The user's goal does not change.
    """
    recipe, name = Recipe.from_json(str(message.get("recipe"))), message.get("model")
    session = dashboard.session
    if name is None:
        session.set(recipe)
    else:
        session.open(str(name), recipe, session.goal)


@action
def choose_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Save all measurements of the search as CSV."""
    choosing = dashboard.session.choosing
    result = choosing.recommendation if choosing is not None else None
    if result is None:
        raise InputError(_nothing_measured(), code="session.nothing_measured")
    rows = study.rows(result.result)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    send_file(dashboard, "recipes.csv", "text/csv", text.getvalue().encode())


@action
def choose_notebook(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Save a notebook that repeats the search and measures the recommended recipe again."""
    choosing = dashboard.session.choosing
    result = choosing.recommendation if choosing is not None else None
    if choosing is None or result is None or not result.choices:
        raise InputError(_nothing_measured(), code="session.nothing_measured")
    if not can_repeat(result):
        raise InputError(
            _(
                "A notebook cannot open {model}, which exists only in this session: download the "
                "compressed file instead."
            ).format(model=result.model.name),
            code="session.not_repeatable",
        )
    content = json.dumps(search_notebook(result, choosing.demand), indent=1)
    send_file(dashboard, "search.ipynb", "application/x-ipynb+json", content.encode())


def _nothing_measured() -> str:
    return _("Nothing is measured yet: press “Find recipes” first.")


def _start(dashboard: Dashboard, demand: Demand) -> None:
    run_job("choose", _search, dashboard, demand)


def _search(dashboard: Dashboard, cancel: CancelToken, demand: Demand) -> None:
    dashboard.session.choose(demand, cancel)
