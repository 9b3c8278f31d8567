"""Predicted against true numbers, before and after compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.analysis.number_comparison import NumberComparison

MOST_POINTS = 2_000
"""Examples that are drawn; of more, a random sample."""
HEIGHT = 440


def draw(comparison: NumberComparison, palette: Palette = LIGHT) -> Figure:
    """Draw the predictions by the true numbers; a perfect model would be on the line."""
    shown = np.arange(len(comparison))
    if len(shown) > MOST_POINTS:
        shown = np.sort(np.random.default_rng(0).choice(shown, MOST_POINTS, replace=False))
    labels = comparison.labels[shown].tolist()
    ends = [float(comparison.labels.min()), float(comparison.labels.max())]
    before = _points(_("original"), labels, comparison.before[shown].tolist(), palette.past)
    after = _points(_("compressed"), labels, comparison.after[shown].tolist(), palette.accent)
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": ends,
        "line": {"color": palette.muted, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    name = comparison.target or _("number")
    return {
        "data": [line, before, after],
        "layout": layout(
            palette,
            summary(comparison),
            height=HEIGHT,
            showlegend=True,
            legend=legend(),
            margin={"l": 72, "r": 24, "t": 72, "b": 48},
            xaxis=axis(palette, _("true {name}").format(name=name)),
            yaxis=axis(palette, _("predicted {name}").format(name=name)),
        ),
    }


def rows(comparison: NumberComparison) -> list[dict[str, Any]]:
    """Return the examples whose prediction changed, the largest change first."""
    return comparison.rows()


def card(comparison: NumberComparison) -> Card:
    """Return the card of a comparison."""
    before, after = map(formatting.number, comparison.errors)
    facts = [(f"{before} → {after}", _("root mean squared error"))]
    if len(changed := comparison.most_changed):
        largest = abs(comparison.after[changed[0]] - comparison.before[changed[0]])
        facts.append((formatting.number(float(largest)), _("largest change")))
    return Card(comparison.model, facts)


def summary(comparison: NumberComparison) -> str:
    """Summarize a comparison in one sentence."""
    before, after = map(formatting.number, comparison.errors)
    if before == after:
        return _("The typical error is {error}").format(error=after)
    return _("The typical error is {after}, before {before}").format(after=after, before=before)


def _points(name: str, x: list[float], y: list[float], color: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": [value if np.isfinite(value) else None for value in y],
        "marker": {"size": 5, "color": color, "opacity": 0.6},
        "hovertemplate": "%{y:,.4~g} (%{x:,.4~g})<extra></extra>",
    }
