"""View: the examples with a changed prediction, in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.panels.buttons import button, choice
from workbench.panels.comparison.view import (
    ComparisonView,
    cached_comparison,
    figure_content,
    has_classes,
    needs_comparison,
)
from workbench.panels.views.labels import examples_label
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.recipe import Recipe
from workbench.session import Session
from workbench.zoo.readable import ReadableExamples, display_type

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison


def page_size(session: Session) -> int:
    """Return the number of examples per page."""
    from workbench.plots import flips

    return flips.page_size(session.focus.columns, display_type(session.model.task))


def page_start(session: Session, comparison: Comparison) -> int:
    """Return the position of the first example on the current page."""
    size = page_size(session)
    last = max(0, len(getattr(comparison, session.focus.kind)) - 1) // size
    return min(session.focus.first // size, last) * size


def _draw(session: Session, comparison: Comparison, palette: Palette) -> Figure:
    from workbench.plots import flips

    focus, task = session.focus, session.model.task
    return flips.draw(
        comparison,
        ReadableExamples(task, task.split(comparison.split).examples, comparison.source),
        palette,
        kind=focus.kind,
        first=page_start(session, comparison),
        columns=focus.columns,
        display_type=display_type(task),
    )


def _controls(session: Session) -> list[dict[str, Any]]:
    from workbench.plots import flips

    comparison = cached_comparison(session)
    if comparison is None:
        return []
    kinds = [
        (kind, f"{_(label)} ({len(getattr(comparison, kind))})")
        for kind, label in flips.KINDS.items()
    ]
    start, count = page_start(session, comparison), len(getattr(comparison, session.focus.kind))
    return [
        choice("kind", _("predictions"), session.focus.kind, kinds),
        button("page", -1, _("previous"), start == 0),
        button("page", 1, _("next"), start + page_size(session) >= count),
    ]


def nothing_changed(session: Session) -> str:
    """Return why there are no changes to show, or an empty text."""
    if session.recipe != Recipe():
        return ""
    return _(
        "Nothing has changed yet: move a slider, and the {examples} that change appear here."
    ).format(examples=examples_label(session.model.task.input_type))


EXAMPLES = ComparisonView(
    "examples",
    lambda task: examples_label(task.input_type),
    has_classes,
    needs_comparison,
    figure_content(_draw),
    lambda session, comparison: comparison.rows(),
    _controls,
    nothing_changed,
)
