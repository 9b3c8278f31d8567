"""What a model loses when one layer at a time is compressed: a map of layers and settings."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, OKABE_ITO, Palette
from workbench.plots.style import Figure, axis, layout
from workbench.recipe import PARTS
from workbench.recipe.schema import specs

if TYPE_CHECKING:
    from workbench.analysis.sensitivity import Point, Sensitivity

FREE = 0.5
"""Up to this loss, in points or percent, a layer bears a setting."""
DARKEST = 50.0
"""Points or percent lost from which on cells are darkest."""
MOST = 1000
"""What more was lost than this is not told apart."""
ROW, AROUND = 26, 112
"""Pixels of a layer's row, and of what is above and below the map."""


def draw(found: Sensitivity, palette: Palette = LIGHT) -> Figure:
    """Draw a cell for each layer and setting, the darker the more was lost.

    The points lost stand in the cells too, or percent where the figure is no share. A cell's
    `customdata` is what a click on it asks of the page: to give that layer that setting.
    """
    rows = [[found[layer, setting] for setting in found.settings] for layer in found.layers]
    names = [short_name(layer) for layer in found.layers]
    return {
        "data": [
            {
                "type": "heatmap",
                "x": [_tick(found.part, setting) for setting in found.settings],
                "y": names,
                "z": [[_shade(found, point) for point in row] for row in rows],
                "text": [[_lost(found, point) for point in row] for row in rows],
                "texttemplate": "%{text}",
                "customdata": [[_ask(found, point) for point in row] for row in rows],
                "hovertext": [[_told(found, point) for point in row] for row in rows],
                "hovertemplate": "%{hovertext}<extra></extra>",
                "hoverongaps": False,
                "zmin": 0,
                "zmax": sqrt(DARKEST),
                "colorscale": [[0, palette.panel], [1, OKABE_ITO[0]]],
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
            }
        ],
        "layout": layout(
            palette,
            _finding(found),
            margin={"l": 60, "r": 24, "t": 56, "b": 48},
            xaxis=axis(
                palette,
                _cells(found).format(what=_with_unit(found.part)),
                type="category",
                showgrid=False,
                tickangle=0,
            ),
            yaxis=axis(
                palette,
                "",
                type="category",
                autorange="reversed",
                showgrid=False,
                automargin=True,
                dtick=1,
            ),
        ),
    }


def height(found: Sensitivity) -> int:
    """Return how many pixels the picture needs."""
    return AROUND + ROW * len(found.layers)


def rows(found: Sensitivity) -> list[dict[str, Any]]:
    """Return the picture's data as a table."""
    return [
        {
            "layer": point.layer,
            _first(found.part).name: point.setting,
            found.metric.name: point.value,
            "change": round(point.value - found.value, 6),
            "bytes": point.bytes,
        }
        for point in found.points
    ]


def format_setting(part: str, setting: float) -> str:
    """Return a setting as a person reads it: a share in percent, or a number."""
    return _tick(part, setting) + ("" if _first(part).choices else f"{formatting.NARROW_SPACE}%")


def short_name(layer: str) -> str:
    """Return a weight's name without the word that all of them end in."""
    return layer.removesuffix(".weight")


def _tick(part: str, setting: float) -> str:
    return f"{setting if _first(part).choices else round(setting * 100, 1):g}"


def _with_unit(part: str) -> str:
    spec = _first(part)
    return str(spec.label) if spec.choices else f"{spec.label} (%)"


def _first(part: str) -> Any:
    return specs(PARTS[part])[0]


def _cells(found: Sensitivity) -> str:
    if found.metric.share:
        return _("{what}; in the cells, points lost")
    return _("{what}; in the cells, percent worse")


def _shade(found: Sensitivity, point: Point | None) -> float | None:
    """Return the root of the points lost, so that small losses can be told apart too."""
    return None if point is None else sqrt(min(max(0.0, found.lost(point)), MOST))


def _lost(found: Sensitivity, point: Point | None) -> str:
    if point is None:
        return ""
    if found.lost(point) > MOST:
        return f">{MOST:,}"
    lost = round(found.lost(point), 1) + 0.0  # and never −0
    return f"+{-lost:.1f}" if lost < 0 else f"{lost:.1f}" if lost < 10 else f"{lost:.0f}"


def _ask(found: Sensitivity, point: Point | None) -> dict[str, Any] | None:
    if point is None:
        return None
    place = {"layer": point.layer, "setting": point.setting}
    return {"act": "set_row", "part": found.part, **place}


def _told(found: Sensitivity, point: Point | None) -> str:
    if point is None:
        return ""
    return _(
        "{layer}, {what} {setting}: <b>{change}</b><br>{accuracy}, {bytes}<br>click to set it"
    ).format(
        layer=point.layer,
        what=_first(found.part).label,
        setting=format_setting(found.part, point.setting),
        change=_change(found, point),
        accuracy=formatting.percent(point.value, 2)
        if found.metric.share
        else found.metric.format(point.value),
        bytes=formatting.nbytes(point.bytes),
    )


def _finding(found: Sensitivity) -> str:
    if found.share < 1:
        return _("Layer by layer: {count} of {total} measured").format(
            count=len(found.points), total=len(found.layers) * len(found.settings)
        )
    borne = [row for layer in found.layers if (row := _borne(found, layer))]
    if not borne:
        least = min(found.points, key=found.lost)
        return _("No layer bears it: {layer} at {setting} loses least, {change}").format(
            layer=short_name(least.layer),
            setting=format_setting(found.part, least.setting),
            change=_change(found, least),
        )
    best = max(borne, key=lambda row: (len(row), -found.lost(row[-1])))[-1]
    there = [point for point in found.points if point.setting == best.setting]
    worst = max(there, key=found.lost)
    words = {
        "best": short_name(best.layer),
        "setting": format_setting(found.part, best.setting),
        "change": _change(found, best),
        "worst": short_name(worst.layer),
        "more": _change(found, worst),
    }
    if found.lost(worst) <= FREE:
        return _("Every layer bears {setting}: {worst} loses most, {more}").format(**words)
    return _("{best} bears {setting} ({change}); {worst} does not ({more})").format(**words)


def _borne(found: Sensitivity, layer: str) -> list[Point]:
    """Return the points of `layer` from the mildest to the last that it bears."""
    row: list[Point] = []
    for setting in found.settings:
        point = found[layer, setting]
        if point is None or found.lost(point) > FREE:
            break
        row.append(point)
    return row


def _change(found: Sensitivity, point: Point) -> str:
    return found.metric.change(point.value - found.value)
