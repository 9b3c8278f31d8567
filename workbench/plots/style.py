"""The common style of all figures: font, axes and legend."""

from __future__ import annotations

from math import log10
from typing import Any

from workbench.plots.palette import Palette
from workbench.plots.ticks import round_values

Figure = dict[str, Any]
"""A plotly figure as plain data: ``{"data": [...], "layout": {...}}``."""

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', sans-serif"
)


PATTERN = {"fillmode": "overlay", "fgopacity": 0.5, "size": 6}
"""How a pattern is drawn over the color of a bar, as a second cue."""


def layout(palette: Palette, title: str, **more: Any) -> dict[str, Any]:
    """Return the layout common to all figures."""
    return {
        "title": {
            "text": title,
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14},
            "font": {"size": 16, "color": palette.ink},
        },
        "font": {"family": FONT, "size": 13, "color": palette.muted},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 60, "r": 24, "t": 48, "b": 48},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": palette.panel,
            "bordercolor": palette.line,
            "font": {"family": FONT, "color": palette.ink, "size": 13},
        },
        "uirevision": "workbench",
        **more,
    }


def legend() -> dict[str, Any]:
    """Return a legend in one row below the title; clicks on it do nothing."""
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1.02,
        "yanchor": "bottom",
        "traceorder": "normal",
        "font": {"size": 13},
        "itemclick": False,
        "itemdoubleclick": False,
    }


def axis(palette: Palette, title: str, **more: Any) -> dict[str, Any]:
    """Return an axis that cannot be zoomed or moved."""
    return {
        "title": {"text": title, "font": {"size": 13}, "standoff": 8},
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": palette.line,
        "linecolor": palette.line,
        "tickcolor": palette.line,
        "ticks": "outside",
        "ticklen": 4,
        **more,
    }


MANY_DECADES = 1.5
"""The powers of ten of an axis on which ticks between them would overlap on a phone."""
FEWEST = 3
"""Ticks that an axis needs to be read."""


def name_axis(palette: Palette, **more: Any) -> dict[str, Any]:
    """Return a vertical axis of names, the first one at the top, with room for them."""
    names = {"type": "category", "autorange": "reversed", "automargin": True}
    return axis(palette, "", **names, showgrid=False, **more)


def log_axis(palette: Palette, title: str, **more: Any) -> dict[str, Any]:
    """Return a logarithmic axis with the ticks 1, 2 and 5 of each power of ten, equally large.

    Plotly abbreviates those between the powers of ten to one small digit. If a `range` of more than
    `MANY_DECADES` is given, only powers of ten have ticks; if it is so short that it holds fewer
    than `FEWEST` ticks, they have equal steps.
    """
    marks = _log_marks(*more.get("range", (0.0, 0.0)))
    text = [f"{mark:,.12g}" for mark in marks]
    return axis(palette, title, type="log", tickvals=marks, ticktext=text, **more)


def _log_marks(low: float, high: float) -> list[float]:
    powers = [10.0**power for power in range(-12, 16)]
    marks = [step * power for power in powers for step in (1, 2, 5)]
    for candidates in (powers, marks) if high - low > MANY_DECADES else (marks,):
        if high <= low or sum(low <= log10(mark) <= high for mark in candidates) >= FEWEST:
            return candidates
    return round_values(10**low, 10**high, 2 * FEWEST)[1]


def bar_figure(
    bars: dict[str, Any], palette: Palette, title: str, yaxis: dict[str, Any], **more: Any
) -> Figure:
    """Return a figure with one bar for each category."""
    xaxis = axis(palette, "", type="category", showgrid=False)
    return {
        "data": [bars],
        "layout": layout(palette, title, height=360, bargap=0.4, xaxis=xaxis, yaxis=yaxis, **more),
    }
