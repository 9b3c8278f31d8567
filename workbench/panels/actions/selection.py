"""Actions that select a recipe, a model or limits, and undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import action

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def undo(view: Dashboard, message: dict[str, Any]) -> None:
    """Undo the last change."""
    view.session.undo()


@action
def redo(view: Dashboard, message: dict[str, Any]) -> None:
    """Redo the last undone change."""
    view.session.redo()


@action
def reset(view: Dashboard, message: dict[str, Any]) -> None:
    """Select the empty recipe."""
    view.session.reset()


@action
def preset(view: Dashboard, message: dict[str, Any]) -> None:
    """Select a preset recipe by name."""
    view.session.preset(str(message["key"]))


@action
def model(view: Dashboard, message: dict[str, Any]) -> None:
    """Select a model by name."""
    view.session.choose_model(str(message["key"]))


@action
def visit(view: Dashboard, message: dict[str, Any]) -> None:
    """Select the recipe of an earlier result by its index."""
    visits = view.session.visited
    index = message.get("key")
    if isinstance(index, int) and 0 <= index < len(visits):
        view.session.set(visits[index].recipe)


@action
def budget(view: Dashboard, message: dict[str, Any]) -> None:
    """Set the maximum file size in bytes, or remove it."""
    value = positive_number(message.get("value"))
    view.session.set_budget(None if value is None else max(1, round(value)))


@action
def floor(view: Dashboard, message: dict[str, Any]) -> None:
    """Set the worst acceptable value of the metric, or remove it; shares are limited to 1."""
    value = positive_number(message.get("value"))
    if value is not None and view.session.model.task.metric.share:
        value = min(1.0, value)
    view.session.set_floor(None if value is None else max(0.0, value))


@action
def cancel(view: Dashboard, message: dict[str, Any]) -> None:
    """Cancel the current operation; the last valid result is still shown."""
    view.cancelled.set()
    view.analysis_runner.cancel()
    view.session.cancel()
