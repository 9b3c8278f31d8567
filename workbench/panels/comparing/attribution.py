"""What the network looks at in one example, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain import Task
from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.panels.buttons import button
from workbench.panels.comparing.view import (
    COMPARISON,
    View,
    cached_comparison,
    figure_content,
    fixed_label,
    has_classes,
)
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session
from workbench.session.analyses import AnalysisKey
from workbench.zoo.readable import display_type

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison


def supports_attribution(task: Task) -> bool:
    """Whether attributions can be drawn for the task's examples."""
    return has_classes(task) and display_type(task) in ("image", "words", "frames")


def selected_example(session: Session, changes: Comparison) -> int:
    """Return the example picked, or the first that went wrong, or the first that changed."""
    if session.focus.example is not None:
        return session.focus.example % len(changes)
    for numbers in (changes.lost, changes.flipped):
        if len(numbers):
            return int(numbers[0])
    return 0


def _wants(session: Session) -> AnalysisKey:
    changes = cached_comparison(session)
    return (
        COMPARISON
        if changes is None
        else AnalysisKey("attribution", selected_example(session, changes))
    )


def _draw(session: Session, found: Any, palette: Palette) -> Figure:
    from workbench.plots import attribution

    return attribution.draw(found, palette, columns=session.focus.columns)


def _rows(session: Session, found: Any) -> list[dict[str, Any]]:
    from workbench.plots import attribution

    return attribution.rows(found)


def _controls(session: Session) -> list[dict[str, Any]]:
    changes = cached_comparison(session)
    if changes is None:
        return []
    shown = _("example {number} of {count}, counted from 0").format(
        number=formatting.count(selected_example(session, changes)),
        count=formatting.count(len(changes)),
    )
    return [
        button("example", -1, _("previous")),
        button("example", 1, _("next")),
        button("flipped", 1, _("next that changed"), not len(changes.flipped)),
        {"kind": "text", "text": shown},
    ]


ATTRIBUTION = View(
    "attribution",
    fixed_label(N_("what it looks at")),
    supports_attribution,
    _wants,
    figure_content(_draw),
    _rows,
    _controls,
)
