"""The learning-rate range test (Smith, arXiv 1506.01186): loss by learning rate."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout

if TYPE_CHECKING:
    from workbench.experiments.learning_rate_range import RangeTest


def draw(test: RangeTest, palette: Palette = LIGHT) -> Figure:
    """Draw the loss by learning rate, raw and smoothed, and the suggested learning rate."""
    top = 1.3 * max(test.smoothed[: max(1, len(test.smoothed) // 3)], default=1.0)
    raw = {
        "type": "scatter",
        "mode": "markers",
        "name": _("each batch"),
        "x": list(test.rates),
        "y": list(test.losses),
        "marker": {"size": 4, "color": palette.past, "opacity": 0.6},
        "hoverinfo": "skip",
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": _("smoothed"),
        "x": list(test.rates),
        "y": list(test.smoothed),
        "line": {"color": palette.categories[0], "width": 2.5},
        "hovertemplate": "%{x:.2g}<br>%{y:.3f}<extra></extra>",
    }
    return {
        "data": [raw, line],
        "layout": layout(
            palette,
            summary(test),
            height=380,
            xaxis=axis(palette, _("learning rate"), type="log", exponentformat="power", dtick=1),
            yaxis=axis(palette, _("loss"), range=[0, top]),
            shapes=_suggestion_line(test.suggestion, palette),
            annotations=_suggestion_text(test.suggestion, palette),
        ),
    }


def summary(test: RangeTest) -> str:
    """Summarize a range test in one sentence."""
    if test.suggestion is None:
        return _("The loss did not decrease at any learning rate")
    text = (
        _("The loss decreases fastest at {rate} and diverges at {end}")
        if test.diverged
        else _("The loss decreases fastest at {rate}")
    )
    return text.format(rate=f"{test.suggestion:.2g}", end=f"{test.rates[-1]:.2g}")


def _suggestion_line(rate: float | None, palette: Palette) -> list[dict[str, Any]]:
    if rate is None:
        return []
    line = {"color": palette.accent, "width": 1.5, "dash": "dot"}
    return [
        {"type": "line", "x0": rate, "x1": rate, "yref": "paper", "y0": 0, "y1": 1, "line": line}
    ]


def _suggestion_text(rate: float | None, palette: Palette) -> list[dict[str, Any]]:
    if rate is None:
        return []
    return [
        {
            "x": log10(rate),  # plotly expects the logarithm here
            "y": 1,
            "yref": "paper",
            "yanchor": "top",
            "xanchor": "left",
            "text": _("try {rate}").format(rate=f"{rate:.2g}"),
            "showarrow": False,
            "font": {"size": 13, "color": palette.accent},
        }
    ]
