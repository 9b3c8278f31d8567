"""Text figures in px units, which do not stretch with the window."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from workbench.plots.palette import Palette
from workbench.plots.style import Figure, layout

MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
MARGIN = {"l": 12, "r": 12, "t": 48, "b": 8}
TITLE = 36
"""The part of the top margin in px that the page uses for its own title."""
COLUMN = 104
"""The minimum width of one page column in px."""
LETTER = 6.8
"""The average width of a 13 px letter in px, rounded up."""


def sheet_width(columns: int) -> int:
    """Return the width in px of a sheet of that many columns."""
    return columns * COLUMN - MARGIN["l"] - MARGIN["r"]


def sheet(
    palette: Palette,
    title: str,
    data: list[dict[str, Any]],
    size: tuple[int, int],
    shapes: list[dict[str, Any]],
) -> Figure:
    """Return a figure of `size` (width, height); `data` and `shapes` use px from the top left."""
    width, height = size
    hidden = {"visible": False, "fixedrange": True}
    return {
        "data": data,
        "layout": layout(
            palette,
            title,
            height=height + MARGIN["t"] + MARGIN["b"],
            margin=dict(MARGIN),
            xaxis={**hidden, "range": [0, width], "scaleanchor": "y", "constraintoward": "left"},
            yaxis={**hidden, "range": [height, 0], "constraintoward": "top"},
            shapes=shapes,
            meta="sheet",
        ),
    }


def page_height(figure: Figure) -> int | None:
    """Return the height at which a sheet's units are px; None for other figures."""
    figure_layout: Mapping[str, Any] = figure["layout"]
    is_sheet = figure_layout.get("meta") == "sheet"
    return figure_layout["height"] - TITLE if is_sheet else None


def text_trace(
    lines: list[tuple[float, float, str]], palette: Palette, **more: Any
) -> dict[str, Any]:
    """Return a trace of texts, each anchored at (x, y) by the middle of its left end."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x for x, _y, _text in lines],
        "y": [y for _x, y, _text in lines],
        "text": [text for _x, _y, text in lines],
        "textposition": "middle right",
        "textfont": {"size": 13, "color": palette.muted},
        "cliponaxis": False,
        "hoverinfo": "none",
        **more,
    }


def escape_text(text: str) -> str:
    """Return `text` with HTML escaped, so that plotly reads no tags in it."""
    return escape(text, quote=False)
