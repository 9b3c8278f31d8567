"""View: histogram of the weights of one layer, before and after compression."""

from __future__ import annotations

from typing import Any

from workbench.i18n import _, mark as N_
from workbench.panels.buttons import select
from workbench.panels.comparison.view import ComparisonView, figure_content, fixed_label
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session
from workbench.session.analyses import AnalysisKey


def _layer(session: Session) -> str:
    return session.focus.layer or session.layers[0]


def _draw(session: Session, result: Any, palette: Palette) -> Figure:
    from workbench.plots import weights

    return weights.draw(result, palette)


def _rows(session: Session, result: Any) -> list[dict[str, Any]]:
    from workbench.plots import weights

    return weights.rows(result)


def _unavailable(session: Session) -> str:
    return "" if session.layers else _("This model has no layers to compare.")


def _controls(session: Session) -> list[dict[str, Any]]:
    if not session.layers:
        return []
    return [select("layer", _("layer"), _layer(session), [(name, name) for name in session.layers])]


WEIGHTS = ComparisonView(
    "weights",
    fixed_label(N_("weights")),
    lambda task: True,
    lambda session: AnalysisKey("histogram", _layer(session)),
    figure_content(_draw),
    _rows,
    _controls,
    _unavailable,
)
