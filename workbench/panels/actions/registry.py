"""The table of actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard

Action = Callable[["Dashboard", dict[str, Any]], None]
"""Called with the dashboard and a message from the page, which is not validated."""
ACTIONS: dict[str, Action] = {}
VIEW_ACTIONS = frozenset({"hello", "theme", "tab", "focus", "plotly", "query_teacher"})
"""Actions that change only the display; all others hide the banner."""


def action(function: Action) -> Action:
    """Register `function` under its own name."""
    ACTIONS[function.__name__] = function
    return function
