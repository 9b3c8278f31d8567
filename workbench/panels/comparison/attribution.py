"""View: attribution of one prediction, before and after compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain import Task
from workbench.i18n import _, mark as N_
from workbench.panels.buttons import button
from workbench.panels.comparison.view import (
    COMPARISON,
    ComparisonView,
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
    """Whether attributions can be drawn for the examples of the task."""
    return has_classes(task) and display_type(task) in ("image", "words", "frames")


def selected_example(session: Session, comparison: Comparison) -> int:
    """Return the index of the selected example.

    By default this is the first new error, or else the first changed prediction.
    """
    if session.focus.example is not None:
        return session.focus.example % len(comparison)
    for indices in (comparison.became_wrong, comparison.flipped):
        if len(indices):
            return int(indices[0])
    return 0


def _analysis(session: Session) -> AnalysisKey:
    comparison = cached_comparison(session)
    if comparison is None:
        return COMPARISON
    return AnalysisKey("attribution", selected_example(session, comparison))


def _draw(session: Session, result: Any, palette: Palette) -> Figure:
    from workbench.plots import attribution

    return attribution.draw(result, palette, columns=session.focus.columns)


def _rows(session: Session, result: Any) -> list[dict[str, Any]]:
    from workbench.plots import attribution

    return attribution.rows(result)


def _controls(session: Session) -> list[dict[str, Any]]:
    comparison = cached_comparison(session)
    if comparison is None:
        return []
    text = _("example {number} of {count}, counted from 0").format(
        number=formatting.count(selected_example(session, comparison)),
        count=formatting.count(len(comparison)),
    )
    return [
        button("example", -1, _("previous")),
        button("example", 1, _("next")),
        button("flipped", 1, _("next changed"), not len(comparison.flipped)),
        {"kind": "text", "text": text},
    ]


ATTRIBUTION = ComparisonView(
    "attribution",
    fixed_label(N_("attribution")),
    supports_attribution,
    _analysis,
    figure_content(_draw),
    _rows,
    _controls,
)
