"""The table of all actions, and how one gets into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard

Action = Callable[["Dashboard", dict[str, Any]], None]
ACTIONS: dict[str, Action] = {}
VIEW_ACTIONS = frozenset({"hello", "theme", "tab", "look", "plotly", "soften"})
"""Actions that change nothing but the view; the others take the banner down."""


def action(work: Action) -> Action:
    """Register `work` under its own name."""
    ACTIONS[work.__name__] = work
    return work
