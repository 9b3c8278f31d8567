"""An image or a sound next to two attribution maps, before and after compression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.i18n import _
from workbench.plots.palette import Palette
from workbench.plots.style import Figure, axis, layout

if TYPE_CHECKING:
    from workbench.analysis.attribution import Attribution

Domains = tuple[tuple[list[float], list[float]], ...]

SIDE_BY_SIDE: Domains = (
    ([0, 0.32], [0, 1]),
    ([0.34, 0.66], [0, 1]),
    ([0.68, 1], [0, 1]),
)
"""The plotly domains of the example and the maps, x and y."""
STACKED: Domains = (
    ([0.26, 0.74], [0.56, 1]),
    ([0, 0.49], [0, 0.44]),
    ([0.51, 1], [0, 0.44]),
)
STACKED_WIDE: Domains = (
    ([0, 1], [0.74, 1]),
    ([0, 1], [0.37, 0.63]),
    ([0, 1], [0, 0.26]),
)
"""For a sound, whose time axis needs the width."""


def draw(
    result: Attribution, palette: Palette, title: str, headings: Sequence[str], *, stacked: bool
) -> Figure:
    """Draw the example and both maps on one color scale, each under its heading.

    `stacked` puts the example above the maps, for a narrow page. A sound has time across and its
    coefficients up.
    """
    sound = result.kind == "frames"
    largest = max(float(np.abs(e.attributions).max()) for e in (result.before, result.after)) or 1.0
    blue, orange = palette.categories[0], palette.categories[1]
    scale = {
        "colorscale": [[0, blue], [0.5, palette.panel], [1, orange]],
        "zmin": -largest,
        "zmax": largest,
        "hovertemplate": "%{z:+.3f}<extra></extra>",
    }
    example: dict[str, Any] = {
        "z": _heat_map_rows(result.content, sound=sound),
        "hoverinfo": "skip",
    }
    if np.ndim(result.content) == 2:
        example |= {"colorscale": [[0, palette.ground], [1, palette.ink]], "showscale": False}
    part = _("contribution to the logit")
    bar = {
        "orientation": "h",
        "x": 1,
        "xanchor": "right",
        "y": (-0.08 if stacked else -0.13) if sound else -0.02,
        "yanchor": "top",
        "len": 1 if stacked else 0.66,
        "thickness": 8,
        "outlinewidth": 0,
        "nticks": 5,
        "title": {"text": part, "side": "bottom"},
    }
    panels: list[dict[str, Any]] = [
        example,
        {**scale, "z": _heat_map_rows(result.before.attributions, sound=sound), "showscale": False},
        {**scale, "z": _heat_map_rows(result.after.attributions, sound=sound), "colorbar": bar},
    ]
    axes: dict[str, Any] = {}
    notes = []
    domains = SIDE_BY_SIDE if not stacked else STACKED_WIDE if sound else STACKED
    for position, (heading, (across, up)) in enumerate(zip(headings, domains, strict=True)):
        number = "" if not position else str(position + 1)
        x, y = _axes(palette, position, sound=sound, stacked=stacked)
        axes[f"xaxis{number}"] = {**x, "domain": across, "anchor": f"y{number}"}
        axes[f"yaxis{number}"] = {**y, "domain": up, "anchor": f"x{number}"}
        if not sound:
            axes[f"yaxis{number}"]["scaleanchor"] = f"x{number}"
        kind = "image" if np.ndim(panels[position]["z"]) == 3 else "heatmap"
        panels[position] |= {"type": kind, "xaxis": f"x{number}", "yaxis": f"y{number}"}
        notes.append(
            {
                "text": heading,
                "x": sum(across) / 2,
                "y": up[1],
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 13},
            }
        )
    return {
        "data": panels,
        "layout": layout(
            palette,
            title,
            height=_height(sound=sound, stacked=stacked),
            margin={"l": 44 if sound else 12, "r": 12, "t": 84, "b": 92 if sound else 56},
            annotations=notes,
            **axes,
        ),
    }


def rows(result: Attribution) -> list[dict[str, Any]]:
    """Return the figure's data as a table: a row for each pixel, or each coefficient of a frame."""
    sound = result.kind == "frames"
    places = ("frame", "coefficient") if sound else ("row", "column")
    color = result.content.ndim > 2
    names = ("value",) if sound else ("red", "green", "blue") if color else ("gray",)
    height, width = result.content.shape[:2]
    values = result.content.reshape(height, width, -1).tolist()
    before, after = (e.attributions.tolist() for e in (result.before, result.after))
    return [
        dict(zip((*places, *names), (i, j, *values[i][j]), strict=True))
        | {"before": before[i][j], "after": after[i][j]}
        for i in range(height)
        for j in range(width)
    ]


def _axes(
    palette: Palette, position: int, *, sound: bool, stacked: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    frame = {
        **axis(palette, "", showgrid=False, showline=True, mirror=True),
        "showticklabels": sound,
        "ticks": "outside" if sound else "",
    }
    if not sound:
        frame["constrain"] = "domain"
        down = {"autorange": "reversed", "constraintoward": "bottom" if stacked else "top"}
        return frame, {**frame, **down}
    first, last = stacked or not position, not stacked or position == 2
    size = {"size": 13}
    across = {
        **frame,
        "showticklabels": last,
        "title": {"text": _("frame") if last else "", "font": size, "standoff": 4},
    }
    up = {
        **frame,
        "title": {"text": _("coefficient") if first else "", "font": size, "standoff": 4},
        "showticklabels": first,
        "dtick": 4,
    }
    return across, up


def _height(*, sound: bool, stacked: bool) -> int:
    if sound:
        return 680 if stacked else 380
    return 520 if stacked else 380


def _heat_map_rows(values: Any, *, sound: bool) -> list[list[float]]:
    """Return the rows of a heat map; a sound has one row for each coefficient."""
    if not np.issubdtype(values.dtype, np.floating):
        integers: list[list[float]] = values.tolist()
        return integers
    rounded: list[list[float]] = np.round(
        (values.T if sound else values).astype(np.float64), 4
    ).tolist()
    return rounded
