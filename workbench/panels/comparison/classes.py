"""Views: recall per class, and confusion matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.domain import Task
from workbench.i18n import mark as N_
from workbench.panels.comparison.view import (
    ComparisonView,
    figure_content,
    fixed_label,
    has_classes,
    needs_comparison,
)
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison

STACK_BELOW = 6
"""Below this number of columns, the matrices are stacked vertically."""
MAX_CLASSES = 50
"""A matrix of more classes is not legible."""


def _has_few_classes(task: Task) -> bool:
    return has_classes(task) and len(task.classes) <= MAX_CLASSES


def _draw_recall(session: Session, comparison: Comparison, palette: Palette) -> Figure:
    from workbench.plots import recall

    return recall.draw(*comparison.recall, comparison.classes, palette)


def _recall_rows(session: Session, comparison: Comparison) -> list[dict[str, Any]]:
    from workbench.plots import recall

    return recall.rows(*comparison.recall, comparison.classes)


def _draw_confusion(session: Session, comparison: Comparison, palette: Palette) -> Figure:
    from workbench.plots import confusion

    before, after = (counts.confusion for counts in comparison.prediction_counts)
    stacked = session.focus.columns < STACK_BELOW
    return confusion.draw(before, after, comparison.classes, palette, stacked=stacked)


def _confusion_rows(session: Session, comparison: Comparison) -> list[dict[str, Any]]:
    from workbench.plots import confusion

    before, after = (counts.confusion for counts in comparison.prediction_counts)
    return confusion.rows(before, after, comparison.classes)


RECALL = ComparisonView(
    "recall",
    fixed_label(N_("classes")),
    _has_few_classes,
    needs_comparison,
    figure_content(_draw_recall),
    _recall_rows,
)
CONFUSION = ComparisonView(
    "confusion",
    fixed_label(N_("confusion matrix")),
    _has_few_classes,
    needs_comparison,
    figure_content(_draw_confusion),
    _confusion_rows,
)
