"""Views of predicted numbers: predicted against true, and the examples that changed most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.domain import Task
from workbench.i18n import mark as N_
from workbench.panels.comparison.examples import nothing_changed
from workbench.panels.comparison.view import ComparisonView, figure_content, fixed_label
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session
from workbench.session.analyses import AnalysisKey

if TYPE_CHECKING:
    from workbench.analysis.number_comparison import NumberComparison

COMPARISON = AnalysisKey("numbers")


def _predicts_a_number(task: Task) -> bool:
    return task.metric.counts == "numbers" and bool(task.target.name)


def _needs_numbers(session: Session) -> AnalysisKey:
    return COMPARISON


def _draw(session: Session, comparison: NumberComparison, palette: Palette) -> Figure:
    from workbench.plots import number_comparison

    return number_comparison.draw(comparison, palette)


def _draw_rows(session: Session, comparison: NumberComparison, palette: Palette) -> Figure:
    from workbench.plots import changed_numbers

    return changed_numbers.draw(comparison, palette, columns=session.focus.columns)


def _rows(session: Session, comparison: NumberComparison) -> list[dict[str, Any]]:
    return comparison.rows()


NUMBERS = ComparisonView(
    "numbers",
    fixed_label(N_("predicted and true")),
    _predicts_a_number,
    _needs_numbers,
    figure_content(_draw),
    _rows,
)
CHANGED_ROWS = ComparisonView(
    "changed",
    fixed_label(N_("largest changes")),
    _predicts_a_number,
    _needs_numbers,
    figure_content(_draw_rows),
    _rows,
    unavailable=nothing_changed,
)
