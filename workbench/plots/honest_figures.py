"""The figures next to a score: the recall of each class, or the error next to that of guessing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.domain.metric import metric_named
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout
from workbench.plots.ticks import percent_ticks

if TYPE_CHECKING:
    from workbench.evaluation.honest_figures import HonestFigures


def draw(result: HonestFigures, palette: Palette = LIGHT) -> Figure:
    """Draw the recall of each class if it is known, or else the score next to that of guessing."""
    if result.recalls:
        return bars(result.recalls, _("Recall by class"), palette)
    metric = metric_named(result.metric)
    values = {_("this file"): result.value, _("by guessing"): result.baseline}
    return bars(values, summary(result), palette, is_fraction=metric.is_fraction)


def bars(
    values: Mapping[str, float | None], title: str, palette: Palette, *, is_fraction: bool = True
) -> Figure:
    """Draw a bar for each value by its name; None, such as the recall without examples, is zero."""
    numbers = [value or 0.0 for value in values.values()]
    show = formatting.percent if is_fraction else formatting.number
    ticks = percent_ticks(0, max(numbers, default=1)) if is_fraction else {}
    return {
        "data": [
            {
                "type": "bar",
                "x": [*values],
                "y": [*values.values()],
                "customdata": [show(number) for number in numbers],
                "hovertemplate": "%{x}: %{customdata}<extra></extra>",
                "marker": {"color": palette.categories[0]},
            }
        ],
        "layout": layout(
            palette,
            title,
            xaxis=axis(palette, "", type="category", showgrid=False, automargin=True),
            yaxis=axis(palette, "", rangemode="tozero", **ticks),
        ),
    }


def summary(result: HonestFigures) -> str:
    """Return the score and that of guessing in one line."""
    metric = metric_named(result.metric)
    return _("{metric} {value}, by guessing {baseline}").format(
        metric=metric.label,
        value=metric.format(result.value),
        baseline=metric.format(result.baseline),
    )


def rows(result: HonestFigures) -> list[dict[str, Any]]:
    """Return a row for each class with its recall, or one with the score and that of guessing."""
    if result.recalls:
        return [{"class": name, "recall": recall} for name, recall in result.recalls.items()]
    names = ("metric", "value", "baseline", "guess", "better", "examples")
    return [{name: getattr(result, name) for name in names}]


def card(result: HonestFigures) -> Card:
    """Return the figures in brief."""
    facts = [(formatting.count(result.examples), _("examples"))]
    if result.new_data is not None:
        low, high = formatting.percent_interval(*result.new_data)
        facts.append((f"{low} – {high}", _("on new data, with 95\u202f% confidence")))
    return Card(summary(result), facts, result.sentences)
