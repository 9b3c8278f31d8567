"""The figures class by class, and which classes are taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.domain import Task
from workbench.i18n import mark as N_
from workbench.panels.comparing.view import (
    View,
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

NARROW = 6
"""With fewer tiles than this side by side, matrices stand below one another."""
MOST_CLASSES = 50
"""More classes than this make no matrix that can be read."""


def _knows_few_classes(task: Task) -> bool:
    return has_classes(task) and len(task.classes) <= MOST_CLASSES


def _draw_recall(session: Session, found: Comparison, palette: Palette) -> Figure:
    from workbench.plots import recall

    return recall.draw(*found.recall, found.classes, palette)


def _recall_rows(session: Session, found: Comparison) -> list[dict[str, Any]]:
    from workbench.plots import recall

    return recall.rows(*found.recall, found.classes)


def _draw_confusion(session: Session, found: Comparison, palette: Palette) -> Figure:
    from workbench.plots import confusion

    before, after = (tally.confusion for tally in found.prediction_counts)
    stacked = session.focus.columns < NARROW
    return confusion.draw(before, after, found.classes, palette, stacked=stacked)


def _confusion_rows(session: Session, found: Comparison) -> list[dict[str, Any]]:
    from workbench.plots import confusion

    before, after = (tally.confusion for tally in found.prediction_counts)
    return confusion.rows(before, after, found.classes)


RECALL = View(
    "recall",
    fixed_label(N_("classes")),
    _knows_few_classes,
    needs_comparison,
    figure_content(_draw_recall),
    _recall_rows,
)
CONFUSION = View(
    "confusion",
    fixed_label(N_("confusions")),
    _knows_few_classes,
    needs_comparison,
    figure_content(_draw_confusion),
    _confusion_rows,
)
