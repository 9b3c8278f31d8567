"""Cross-validation: a bar for each fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import figures
from workbench.plots import scales, spread
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout
from workbench.text import _

if TYPE_CHECKING:
    from workbench.trials.folds import CrossValidation


def draw(result: CrossValidation, palette: Palette = LIGHT) -> Figure:
    """Draw the exact accuracy of each fold, their mean as a line and their spread as a band."""
    best = max(result.accuracies, default=0.5)
    ticks, labels = scales.accuracy_ticks(best)
    done = [(n, fold) for n, fold in enumerate(result.folds) if fold is not None]
    bars = {
        "type": "bar",
        "x": [_("fold {number}").format(number=number + 1) for number, _fold in done],
        "y": [scales.height(fold.accuracy) for _number, fold in done],
        "text": [figures.percent(fold.accuracy) for _number, fold in done],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textfont": {"color": palette.panel},
        "customdata": [
            _("{correct} of {total} right").format(
                correct=figures.count(round(fold.correct)), total=figures.count(fold.examples)
            )
            for _number, fold in done
        ],
        "hovertemplate": "%{x}<br>%{customdata}<extra></extra>",
        "marker": {"color": palette.categories[0]},
    }
    return {
        "data": [bars],
        "layout": layout(
            palette,
            finding(result),
            height=360,
            bargap=0.4,
            xaxis=axis(palette, "", type="category", showgrid=False),
            yaxis=axis(
                palette,
                _("accuracy on what was held out"),
                range=list(scales.accuracy_range(best)),
                tickvals=ticks,
                ticktext=labels,
            ),
            shapes=_mean_and_band(result, palette),
        ),
    }


def finding(result: CrossValidation) -> str:
    """Return what cross-validation has shown, in a sentence."""
    total = len(result.folds)
    if len(result.accuracies) < total:
        return _("{done} of {total} folds are done").format(
            done=len(result.accuracies), total=total
        )
    return _("{accuracy} on examples not learned from, over {total} folds").format(
        accuracy=spread.words(result), total=total
    )


def _mean_and_band(result: CrossValidation, palette: Palette) -> list[dict[str, Any]]:
    mean, apart = result.mean, result.spread
    if mean is None:
        return []
    height = scales.height(mean)
    wide = {"xref": "paper", "x0": 0, "x1": 1}
    line = {"color": palette.ink, "width": 1.5, "dash": "dash"}
    shapes: list[dict[str, Any]] = [
        {"type": "line", **wide, "y0": height, "y1": height, "line": line}
    ]
    if apart is not None:
        ends = {"y0": scales.height(mean - apart), "y1": scales.height(mean + apart)}
        shade = {"fillcolor": palette.shade, "line": {"width": 0}, "layer": "below"}
        shapes.append({"type": "rect", **wide, **ends, **shade})
    return shapes
