"""A picture made of text, whose units are px: nothing in it stretches with the window."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from workbench.plots.palette import Palette
from workbench.plots.style import Figure, layout

MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
MARGIN = {"l": 12, "r": 12, "t": 48, "b": 8}
TITLE = 36
"""Of the top margin, what the page takes for its own title, in px."""
COLUMN = 104
"""The least width of one of the columns that the page counts, in px."""
LETTER = 6.8
"""The width of a letter of 13 px on average, with some to spare."""


def sheet_width(columns: int) -> int:
    """Return how wide a sheet of so many columns may be, in px."""
    return columns * COLUMN - MARGIN["l"] - MARGIN["r"]


def sheet(
    palette: Palette,
    title: str,
    data: list[dict[str, Any]],
    size: tuple[int, int],
    shapes: list[dict[str, Any]],
) -> Figure:
    """Return a figure, `size` wide and high, with `data` and `shapes` at px from its top left."""
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
    """Return how high the page must draw a sheet so that its units are px; None for others."""
    laid: Mapping[str, Any] = figure["layout"]
    return laid["height"] - TITLE if laid.get("meta") == "sheet" else None


def text_trace(
    lines: list[tuple[float, float, str]], palette: Palette, **more: Any
) -> dict[str, Any]:
    """Return a trace of texts, each beginning at its (x, y): the middle of its left end."""
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
    """Return `text` so that plotly takes nothing in it for a tag."""
    return escape(text, quote=False)
