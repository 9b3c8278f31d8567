"""The examples of which the prediction changed, a page of them at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.domain import Task
from workbench.i18n import _
from workbench.panels import labels
from workbench.panels.buttons import button, choice
from workbench.panels.comparing.view import (
    View,
    cached_comparison,
    figure_content,
    has_classes,
    needs_comparison,
)
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session
from workbench.zoo.readable import ReadableExamples, display_type

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison


def page_size(session: Session) -> int:
    """Return how many examples a page holds."""
    from workbench.plots import flips

    return flips.page_size(session.focus.columns, display_type(session.model.task))


def page_start(session: Session, changes: Comparison) -> int:
    """Return how many examples are passed over: whole pages of those there are."""
    whole = page_size(session)
    last = max(0, len(getattr(changes, session.focus.kind)) - 1) // whole
    return min(session.focus.first // whole, last) * whole


def _label(task: Task) -> str:
    return _("pictures") if task.input_type == "image" else labels.examples_label(task.input_type)


def _draw(session: Session, found: Comparison, palette: Palette) -> Figure:
    from workbench.plots import flips

    focus, task = session.focus, session.model.task
    return flips.draw(
        found,
        ReadableExamples(task, task.split(found.split).examples),
        palette,
        kind=focus.kind,
        first=page_start(session, found),
        columns=focus.columns,
        form=display_type(task),
    )


def _controls(session: Session) -> list[dict[str, Any]]:
    from workbench.plots import flips

    found = cached_comparison(session)
    if found is None:
        return []
    kinds = [
        (kind, f"{_(label)} ({len(getattr(found, kind))})") for kind, label in flips.KINDS.items()
    ]
    before, count = page_start(session, found), len(getattr(found, session.focus.kind))
    return [
        choice("kind", _("which"), session.focus.kind, kinds),
        button("page", -1, _("previous"), before == 0),
        button("page", 1, _("next"), before + page_size(session) >= count),
    ]


EXAMPLES = View(
    "pictures",
    _label,
    has_classes,
    needs_comparison,
    figure_content(_draw),
    lambda session, found: found.rows(),
    _controls,
)
