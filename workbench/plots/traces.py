"""The traces of the trade-off.

The page moves the traces with `LIVE` as `meta` together with the numbers, so it draws them itself;
images and notebooks show them as plotly draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.i18n import _
from workbench.plots import scales
from workbench.plots.palette import Palette
from workbench.plots.spots import Landmark, Spot, hover_text

LIVE = "live"
LABEL_SIZE = 13


def front(spots: Sequence[Spot], up: scales.Axis, palette: Palette) -> dict[str, Any]:
    """Return the Pareto front as a dotted line."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [spot.bytes for spot in spots],
        "y": [up.height(spot.value) for spot in spots],
        "line": {"color": palette.past, "width": 1.5, "dash": "dot", "shape": "hv"},
        "hoverinfo": "skip",
    }


def _halo(palette: Palette) -> str:
    """Return a shadow that keeps lines, such as those of the goal, from cutting a label."""
    sides = ("1px 1px", "-1px 1px", "1px -1px", "-1px -1px")
    return ", ".join(f"{side} 2px {palette.panel}" for side in sides)


def presets(
    marks: Sequence[Landmark],
    original: Spot,
    up: scales.Axis,
    palette: Palette,
    sides: Sequence[str | None],
) -> dict[str, Any]:
    """Return the presets as faint hollow points, which a click selects.

    `sides` are the places of their labels in the plot of a phone; those without one have no label
    there. The page finds places again for the size that it shows.
    """
    hint = _("click to select it")
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "presets",
        "x": [mark.spot.bytes for mark in marks],
        "y": [up.height(mark.spot.value) for mark in marks],
        "text": [mark.label if side else "" for mark, side in zip(marks, sides, strict=True)],
        "textposition": [side or "top center" for side in sides],
        "textfont": {"color": palette.muted, "size": LABEL_SIZE, "shadow": _halo(palette)},
        "cliponaxis": False,
        "customdata": [mark.message for mark in marks],
        "hovertext": [f"{hover_text(mark.spot, original, up.metric)}<br>{hint}" for mark in marks],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "size": 11,
            "symbol": "circle-open",
            "color": palette.past,
            "line": {"color": palette.past, "width": 1.5},
        },
    }


def past(
    spots: Sequence[Spot], original: Spot, up: scales.Axis, palette: Palette
) -> dict[str, Any]:
    """Return the visited points."""
    hint = _("click to select it")
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "visited",
        "x": [spot.bytes for spot in spots],
        "y": [up.height(spot.value) for spot in spots],
        "customdata": [spot.key for spot in spots],
        "text": [f"{hover_text(spot, original, up.metric)}<br>{hint}" for spot in spots],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": [11 if spot.trained else 8 for spot in spots],
            "symbol": ["triangle-up" if spot.trained else "circle" for spot in spots],
            "color": palette.past,
            "line": {"color": palette.panel, "width": 1},
        },
    }


def origin(original: Spot, name: str, up: scales.Axis, palette: Palette) -> dict[str, Any]:
    """Return the untouched model, which a click selects."""
    hint = _("click to select it")
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "original",
        "x": [original.bytes],
        "y": [up.height(original.value)],
        "text": [name],
        "textposition": "top center",
        "textfont": {"color": palette.muted, "size": LABEL_SIZE},
        "cliponaxis": False,
        "customdata": [{"act": "reset"}],
        "hovertext": [f"{hover_text(original, original, up.metric)}<br>{hint}"],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"size": 13, "color": palette.ink, "line": {"color": palette.panel, "width": 2}},
    }


def students(marks: Sequence[Landmark], up: scales.Axis, palette: Palette) -> dict[str, Any]:
    """Return a distilled student, and the same network trained on labels alone, as triangles."""
    colors = [palette.accent if mark.kind == "student" else palette.past for mark in marks]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "students",
        "meta": LIVE,
        "x": [mark.spot.bytes for mark in marks],
        "y": [up.height(mark.spot.value) for mark in marks],
        "text": [mark.label for mark in marks],
        "textposition": ["top center" if m.kind == "student" else "bottom center" for m in marks],
        "textfont": {"color": palette.muted, "size": LABEL_SIZE},
        "cliponaxis": False,
        "hoverinfo": "text",
        "marker": {"size": 13, "symbol": "triangle-up", "color": colors},
    }


def trail(spots: Sequence[Spot], up: scales.Axis, palette: Palette) -> dict[str, Any]:
    """Return the results of the last drag as small dots, hollow where they are estimates."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "trail",
        "meta": LIVE,
        "x": [spot.bytes for spot in spots],
        "y": [up.height(spot.value) for spot in spots],
        "hoverinfo": "skip",
        "opacity": 0.6,
        "marker": {
            "size": 6,
            "color": [palette.accent if spot.exact else palette.panel for spot in spots],
            "line": {"color": palette.accent, "width": 1},
        },
    }


def you(
    spot: Spot | None, original: Spot, up: scales.Axis, palette: Palette, *, faint: bool
) -> dict[str, Any]:
    """Return the current point: filled if it is exact, else hollow with an error bar."""
    spots = [spot] if spot is not None else []
    heights = [up.height(spot.value) for spot in spots]
    hollow = faint or any(not spot.exact for spot in spots)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "you",
        "meta": LIVE,
        "x": [spot.bytes for spot in spots],
        "y": heights,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [up.height(s.high) - m for s, m in zip(spots, heights, strict=True)],
            "arrayminus": [m - up.height(s.low) for s, m in zip(spots, heights, strict=True)],
            "color": palette.accent,
            "thickness": 2,
            "width": 6,
            "visible": hollow,
        },
        "text": [_("you") for _spot in spots],
        "textposition": "middle right",
        "textfont": {"color": palette.accent, "size": LABEL_SIZE},
        "cliponaxis": False,
        "customdata": [hover_text(spot, original, up.metric) for spot in spots],
        "hovertemplate": "%{customdata}<extra></extra>",
        "opacity": 0.45 if faint else 1,
        "marker": {
            "size": 16,
            "symbol": "diamond",
            "color": palette.panel if hollow else palette.accent,
            "line": {
                "color": palette.accent if hollow else palette.panel,
                "width": 2.5 if hollow else 1.5,
            },
        },
    }


def size_line(size: int | None, palette: Palette) -> list[dict[str, Any]]:
    """Return the size of the current file as a vertical line."""
    if size is None:
        return []
    line = {"color": palette.accent, "width": 1, "dash": "dot"}
    ends = {"x0": size, "x1": size, "y0": 0, "y1": 1}
    return [
        {"type": "line", "yref": "paper", "layer": "below", "opacity": 0.6, "line": line, **ends}
    ]
