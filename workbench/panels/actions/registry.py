"""The table of actions, and the interface of the dashboard on which they act."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from workbench.panels.analysis_runner import AnalysisRunner
from workbench.panels.channel import Channel
from workbench.panels.jobs import Jobs
from workbench.panels.page_values import PageValues
from workbench.panels.uploads.uploads import Uploads


class Dashboard(Channel, Protocol):
    """The part of `panels.widget.SessionWidget` that actions use."""

    theme: str
    open_page: str | None
    open_tab: str | None
    jobs: Jobs
    analysis_runner: AnalysisRunner
    page_values: PageValues
    uploads: Uploads

    def show_note(self, text: str) -> None:
        """Say in the banner, until the next change, what changed outside of the open page."""

    def reset_controls(self) -> None:
        """Set the controls of the page back to the recipe of the session."""

    def paused(self) -> AbstractContextManager[None]:
        """Publish nothing inside this context."""

    def add_display(self, change: int) -> None:
        """Count the displays of this widget in the browser."""

    def turn_to(self, page_key: str) -> None:
        """Open a page."""

    def publish(self, *, full: bool = False, chart: bool = False, tab: bool = False) -> None:
        """Send what has changed."""


Action = Callable[[Dashboard, dict[str, Any]], None]
"""Called with the dashboard and a message from the page, which is not validated."""
ACTIONS: dict[str, Action] = {}
VIEW_ACTIONS = frozenset(
    {"hello", "bye", "theme", "page", "tab", "focus", "plan", "plotly", "query_teacher", "rest"}
)
"""Actions that change only the display; all others hide the banner."""
SELECTING_ACTIONS = frozenset(
    {
        *("undo", "redo", "reset", "preset", "model", "visit", "choose_recipe", "end_tour"),
        *("train_again", "drop_training", "visit_trail"),
    }
)
"""Actions that select another recipe, in place of values sent before and not yet received."""


def action(function: Action) -> Action:
    """Register `function` under its own name."""
    ACTIONS[function.__name__] = function
    return function
