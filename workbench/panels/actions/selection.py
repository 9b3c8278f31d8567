"""Actions that select a recipe, a model or limits, and undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.panels import goal
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.jobs import COMPARISON, MEASUREMENT
from workbench.panels.pages import PAGES
from workbench.panels.unseen import Shown


@action
def rest(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Show what was delayed during a drag, which has ended or pauses."""
    dashboard.page_values.rest(int(message.get("seq", 0)))
    if dashboard.page_values.resting:
        dashboard.session.rest()


@action
def undo(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Undo the last change."""
    _step(dashboard, dashboard.session.undo)


@action
def redo(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Redo the last undone change."""
    _step(dashboard, dashboard.session.redo)


def _step(dashboard: Dashboard, step: Callable[[], None]) -> None:
    """Go one step in the history, and say what it changed if the open page does not show it."""
    before = Shown.of(dashboard.session)
    step()
    after = Shown.of(dashboard.session)
    page = next((page for page in PAGES if page.key == dashboard.open_page), None)
    if page is not None and (text := after.unseen(before, page)):
        dashboard.show_note(text)


@action
def reset(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select the empty recipe."""
    dashboard.session.reset()


@action
def preset(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select a preset recipe by name."""
    dashboard.session.preset(str(message["key"]))


@action
def model(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select a model by name."""
    dashboard.session.choose_model(str(message["key"]))


@action
def visit(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select the model and recipe of an earlier result by its index."""
    visits = dashboard.session.visited
    index = message.get("key")
    if isinstance(index, int) and 0 <= index < len(visits):
        dashboard.session.visit(visits[index])


@action
def visit_trail(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select the model and recipe of a result of the last drag by its index."""
    trail = dashboard.session.trail
    index = message.get("key")
    if isinstance(index, int) and 0 <= index < len(trail):
        dashboard.session.visit(trail[index])


@action
def budget(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Set the maximum file size in bytes, or remove it."""
    value = goal.limit(message.get("value"), 0, None, goal.budget_text())
    dashboard.session.set_budget(None if value is None else max(1, round(value)))


@action
def floor(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Set the worst acceptable value of the metric, or remove it."""
    metric = dashboard.session.model.task.metric
    value = goal.limit(message.get("value"), *goal.floor_bounds(metric), goal.floor_text(metric))
    dashboard.session.set_floor(value)


@action
def begin_tour(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Remember what the guided tour changes."""
    dashboard.session.begin_tour()


@action
def end_tour(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Restore what the guided tour changed."""
    dashboard.session.end_tour()


@action
def cancel(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Cancel the operation that the page names, or all; the last valid result is still shown."""
    job = message.get("job")
    if job in (None, MEASUREMENT):
        dashboard.session.cancel()
    if job in (None, COMPARISON):
        dashboard.analysis_runner.cancel()
    dashboard.jobs.cancel(job)
