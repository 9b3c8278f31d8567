"""Per-layer sensitivity: the loss of each layer at each setting, as a heat map."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots.palette import LIGHT, OKABE_ITO, Palette
from workbench.plots.style import Figure, axis, layout, name_axis
from workbench.recipe import PARTS
from workbench.recipe.schema import specs

if TYPE_CHECKING:
    from workbench.analysis.sensitivity import Point, Sensitivity

TOLERATED = 0.5
"""A layer tolerates a setting that loses at most this much, in points or percent."""
DARKEST = 50.0
"""The loss, in points or percent, of the darkest cells."""
MAX_LOSS = 1000
"""Larger losses, in points or percent, have the same color and the same text."""
ROW, MARGINS = 26, 112
"""Height in px of a layer's row, and of the margins around the map."""


def draw(result: Sensitivity, palette: Palette = LIGHT) -> Figure:
    """Draw a cell for each layer and setting; in darker cells, the metric becomes worse by more.

    The number in a cell is that loss: in percentage points, or in percent of the original's value
    if the metric is not a fraction. A cell's `customdata` is the message that a click sends to the
    page, which then applies that setting.
    """
    rows = [[result[layer, setting] for setting in result.settings] for layer in result.layers]
    names = [short_name(layer) for layer in result.layers]
    return {
        "data": [
            {
                "type": "heatmap",
                "x": [_tick(result.part, setting) for setting in result.settings],
                "y": names,
                "z": [[_shade(result, point) for point in row] for row in rows],
                "text": [[_lost(result, point) for point in row] for row in rows],
                "texttemplate": "%{text}",
                "customdata": [[_message(result, point) for point in row] for row in rows],
                "hovertext": [[_hover_text(result, point) for point in row] for row in rows],
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
            _summary(result),
            margin={"l": 60, "r": 24, "t": 56, "b": 48},
            xaxis=axis(
                palette,
                _x_title(result).format(what=_with_unit(result.part)),
                type="category",
                showgrid=False,
                tickangle=0,
            ),
            yaxis=name_axis(palette, dtick=1),
        ),
    }


def height(result: Sensitivity) -> int:
    """Return the height of the figure in px."""
    return MARGINS + ROW * len(result.layers)


def rows(result: Sensitivity) -> list[dict[str, Any]]:
    """Return the figure's data as a table."""
    return [
        {
            "layer": point.layer,
            _first(result.part).name: point.setting,
            result.metric.name: point.value,
            "change": round(point.value - result.value, 6),
            "bytes": point.bytes,
        }
        for point in result.points
    ]


def card(result: Sensitivity) -> Card:
    """Return a card with the summary, the original's metric and the number of measured files."""
    original = (result.metric.format(result.value), _("original model"))
    return Card(_summary(result), [original, (str(len(result)), _("files measured"))])


def format_setting(part: str, setting: float) -> str:
    """Return a setting as text: a percentage if it is a fraction, else a number."""
    return _tick(part, setting) + ("" if _first(part).choices else f"{formatting.NARROW_SPACE}%")


def short_name(layer: str) -> str:
    """Return a weight's name without its ``.weight`` suffix."""
    return layer.removesuffix(".weight")


def _tick(part: str, setting: float) -> str:
    return f"{setting if _first(part).choices else round(setting * 100, 1):g}"


def _with_unit(part: str) -> str:
    spec = _first(part)
    return str(spec.label) if spec.choices else f"{spec.label} (%)"


def _first(part: str) -> Any:
    return specs(PARTS[part])[0]


def _x_title(result: Sensitivity) -> str:
    if result.metric.is_fraction:
        return _("{what}; cells show points lost")
    return _("{what}; cells show percent worse")


def _shade(result: Sensitivity, point: Point | None) -> float | None:
    """Return the square root of the loss, which makes small losses visible."""
    return None if point is None else sqrt(min(max(0.0, result.lost(point)), MAX_LOSS))


def _lost(result: Sensitivity, point: Point | None) -> str:
    if point is None:
        return ""
    if result.lost(point) > MAX_LOSS:
        return f">{MAX_LOSS:,}"
    lost = round(result.lost(point), 1) + 0.0  # avoids −0
    return f"+{-lost:.1f}" if lost < 0 else f"{lost:.1f}" if lost < 10 else f"{lost:.0f}"


def _message(result: Sensitivity, point: Point | None) -> dict[str, Any] | None:
    if point is None:
        return None
    place = {"layer": point.layer, "setting": point.setting}
    return {"act": "set_row", "part": result.part, **place}


def _hover_text(result: Sensitivity, point: Point | None) -> str:
    if point is None:
        return ""
    return _(
        "{layer}, {what} {setting}: <b>{change}</b><br>{accuracy}, {bytes}<br>click to apply it"
    ).format(
        layer=point.layer,
        what=_first(result.part).label,
        setting=format_setting(result.part, point.setting),
        change=_change(result, point),
        accuracy=formatting.percent(point.value, 2)
        if result.metric.is_fraction
        else result.metric.format(point.value),
        bytes=formatting.nbytes(point.bytes),
    )


def _summary(result: Sensitivity) -> str:
    if result.completed < 1:
        return _("Layer by layer: {count} of {total} measured").format(
            count=len(result.points), total=len(result.layers) * len(result.settings)
        )
    tolerated = [row for layer in result.layers if (row := _tolerated(result, layer))]
    if not tolerated:
        least = min(result.points, key=result.lost)
        return _(
            "No layer tolerates any setting: {layer} at {setting} loses least, {change}"
        ).format(
            layer=short_name(least.layer),
            setting=format_setting(result.part, least.setting),
            change=_change(result, least),
        )
    best = max(tolerated, key=lambda row: (len(row), -result.lost(row[-1])))[-1]
    others = [point for point in result.points if point.setting == best.setting]
    worst = max(others, key=result.lost)
    fields = {
        "best": short_name(best.layer),
        "setting": format_setting(result.part, best.setting),
        "change": _change(result, best),
        "worst": short_name(worst.layer),
        "more": _change(result, worst),
    }
    if result.lost(worst) <= TOLERATED:
        return _("Every layer tolerates {setting}: {worst} loses most, {more}").format(**fields)
    return _("{best} tolerates {setting} ({change}); {worst} does not ({more})").format(**fields)


def _tolerated(result: Sensitivity, layer: str) -> list[Point]:
    """Return the points of `layer` from the mildest to the last that it tolerates."""
    row: list[Point] = []
    for setting in result.settings:
        point = result[layer, setting]
        if point is None or result.lost(point) > TOLERATED:
            break
        row.append(point)
    return row


def _change(result: Sensitivity, point: Point) -> str:
    return result.metric.difference(point.value, result.value)
