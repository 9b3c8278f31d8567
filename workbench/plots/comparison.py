"""A comparison of predictions: recall by class, confusion matrices, or changed examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.errors import InputError
from workbench.i18n import _
from workbench.plots import confusion, flips, recall
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure
from workbench.zoo import model
from workbench.zoo.readable import ReadableExamples, display_type

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison

rows = flips.rows


def draw(
    comparison: Comparison,
    palette: Palette = LIGHT,
    *,
    chart: str = "recall",
    **options: Any,
) -> Figure:
    """Draw a comparison.

    Parameters
    ----------
    chart
        "recall" of each class, "confusion" matrices, or "examples" whose prediction changed.
    **options
        Options of `confusion.draw` or `flips.draw`.

    Raises
    ------
    InputError
        If there is no such chart.
    UnknownNameError
        If the examples are requested of a model that is no longer available.
    """
    if chart not in CHARTS:
        raise InputError(
            f"A comparison has no chart {chart!r}: choose from {', '.join(CHARTS)}.",
            code="argument.unknown_chart",
        )
    return CHARTS[chart](comparison, palette, **options)


def _recall(comparison: Comparison, palette: Palette) -> Figure:
    return recall.draw(*comparison.recall, comparison.classes, palette)


def _confusion(comparison: Comparison, palette: Palette, **options: Any) -> Figure:
    before, after = (counts.confusion for counts in comparison.prediction_counts)
    return confusion.draw(before, after, comparison.classes, palette, **options)


def _examples(comparison: Comparison, palette: Palette, **options: Any) -> Figure:
    task = model(comparison.model).task
    examples = ReadableExamples(task, task.split(comparison.split).examples, comparison.source)
    kind = display_type(task)
    return flips.draw(comparison, examples, palette, display_type=kind, **options)


CHARTS: dict[str, Callable[..., Figure]] = {
    "recall": _recall,
    "confusion": _confusion,
    "examples": _examples,
}


def card(comparison: Comparison) -> Card:
    """Return the card of a comparison."""
    before, after = (counts.accuracy for counts in comparison.prediction_counts)
    facts = [
        (f"{formatting.percent(before)} → {formatting.percent(after)}", _("accuracy")),
        (formatting.count(len(comparison.became_wrong)), _("became wrong")),
        (formatting.count(len(comparison.became_right)), _("became right")),
        (formatting.count(len(comparison.stayed_wrong)), _("stayed wrong")),
    ]
    return Card(comparison.model, facts)
