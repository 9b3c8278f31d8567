"""Choosing a recipe, a model or limits, and going back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import action

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def undo(view: Dashboard, asked: dict[str, Any]) -> None:
    """Go back one step."""
    view.session.undo()


@action
def redo(view: Dashboard, asked: dict[str, Any]) -> None:
    """Go forward one step."""
    view.session.redo()


@action
def reset(view: Dashboard, asked: dict[str, Any]) -> None:
    """Go back to the untouched model."""
    view.session.reset()


@action
def preset(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take a recipe by its name."""
    view.session.preset(str(asked["key"]))


@action
def model(view: Dashboard, asked: dict[str, Any]) -> None:
    """Pick another model."""
    view.session.choose_model(str(asked["key"]))


@action
def visit(view: Dashboard, asked: dict[str, Any]) -> None:
    """Bring back a point that was measured before."""
    visits = view.session.visited
    place = asked.get("key")
    if isinstance(place, int) and 0 <= place < len(visits):
        view.session.set(visits[place].recipe)


@action
def budget(view: Dashboard, asked: dict[str, Any]) -> None:
    """Set the largest size wanted, in bytes, or none."""
    value = positive_number(asked.get("value"))
    view.session.set_budget(None if value is None else max(1, round(value)))


@action
def floor(view: Dashboard, asked: dict[str, Any]) -> None:
    """Set the worst figure wanted, a share from 0 to 1, or none."""
    value = positive_number(asked.get("value"))
    if value is not None and view.session.model.task.metric.share:
        value = min(1.0, value)
    view.session.set_floor(None if value is None else max(0.0, value))


@action
def cancel(view: Dashboard, asked: dict[str, Any]) -> None:
    """Give up what is under way; the last good result stays."""
    view.cancelled.set()
    view.analysis_runner.cancel()
    view.session.cancel()
