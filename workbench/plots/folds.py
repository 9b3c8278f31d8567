"""Cross-validation: a bar for each fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain.metric import Metric
from workbench.i18n import _
from workbench.plots import scales, spread
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, bar_figure

if TYPE_CHECKING:
    from workbench.experiments.cross_validation import CrossValidation
    from workbench.experiments.job import Outcome


def draw(result: CrossValidation, palette: Palette = LIGHT) -> Figure:
    """Draw the exact metric of each fold, the mean as a line and the spread as a band."""
    metric = result.metric
    up = scales.Axis.over(metric, result.values)
    (bottom, top), (ticks, labels) = up.range, up.ticks
    finished = [(n, fold) for n, fold in enumerate(result.folds) if fold is not None]
    bars = {
        "type": "bar",
        "x": [_("fold {number}").format(number=number + 1) for number, _fold in finished],
        "base": bottom,
        "y": [up.height(fold.value) - bottom for _number, fold in finished],
        "text": [metric.format(fold.value) for _number, fold in finished],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textfont": {"color": palette.panel},
        "customdata": [_hover_text(fold, metric) for _number, fold in finished],
        "hovertemplate": "%{x}<br>%{customdata}<extra></extra>",
        "marker": {"color": palette.categories[0]},
    }
    yaxis = axis(
        palette,
        _("{metric} on the held-out fold").format(metric=metric.label),
        range=[bottom, top],
        tickvals=ticks,
        ticktext=labels,
    )
    shapes = _mean_and_band(result, up, palette)
    return bar_figure(bars, palette, summary(result), yaxis, shapes=shapes)


def summary(result: CrossValidation) -> str:
    """Summarize a cross-validation in one sentence."""
    total = len(result.folds)
    if len(result.values) < total:
        return _("{done} of {total} folds are done").format(done=len(result.values), total=total)
    return _("{figure} on held-out examples, over {total} folds").format(
        figure=spread.format_mean(result, result.metric), total=total
    )


def _hover_text(fold: Outcome, metric: Metric) -> str:
    total = formatting.count(fold.examples)
    if metric.counts != "classes":
        return _("{figure} on {total} examples").format(
            figure=metric.format(fold.value), total=total
        )
    correct = formatting.count(round(fold.value * fold.examples))
    return _("{correct} of {total} correct").format(correct=correct, total=total)


def _mean_and_band(
    result: CrossValidation, up: scales.Axis, palette: Palette
) -> list[dict[str, Any]]:
    mean, deviation = result.mean, result.spread
    if mean is None:
        return []
    height = up.height(mean)
    across = {"xref": "paper", "x0": 0, "x1": 1}
    line = {"color": palette.ink, "width": 1.5, "dash": "dash"}
    shapes: list[dict[str, Any]] = [
        {"type": "line", **across, "y0": height, "y1": height, "line": line}
    ]
    if deviation is not None:
        ends = {"y0": up.height(mean - deviation), "y1": up.height(mean + deviation)}
        shade = {"fillcolor": palette.shade, "line": {"width": 0}, "layer": "below"}
        shapes.append({"type": "rect", **across, **ends, **shade})
    return shapes
