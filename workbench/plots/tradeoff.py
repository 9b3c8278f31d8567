"""Metric by file size: the original, the visited points, and the current one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots import scales
from workbench.plots.palette import Palette
from workbench.plots.style import Figure, axis, layout

MAX_SHOWN = 300
"""How many visited points are drawn: the best and the newest."""


@dataclass(frozen=True)
class Spot:
    """One file: its size in bytes, and its metric with bounds, which are equal if it is exact."""

    bytes: int
    value: float
    low: float
    high: float
    key: int = 0
    """The value that a click on the spot returns."""
    trained: bool = False
    """Whether the recipe trains; drawn as a triangle."""
    preview: bool = False
    """Whether it is the baseline of a file that is still being compressed."""

    @property
    def exact(self) -> bool:
        """Whether the metric is exact and of the file itself."""
        return self.low == self.high and not self.preview


def draw(
    original: Spot,
    visited: Sequence[Spot],
    you: Spot | None,
    palette: Palette,
    *,
    size: int | None = None,
    budget: int | None = None,
    floor: float | None = None,
    metric: Metric = ACCURACY,
) -> Figure:
    """Draw the trade-off.

    Parameters
    ----------
    original
        The untouched model.
    visited
        Points measured exactly before, oldest first.
    you
        The newest point with a metric value; hollow while it is an estimate.
    palette
        The colors.
    size
        Size of the current file in bytes, which is known before its metric. If it differs from
        `you`, that point belongs to an earlier recipe and is drawn faint.
    budget, floor
        The largest size and the worst value wanted; the area outside is shaded.
    metric
        The metric of the values.
    """
    shown = _thin(visited, metric)
    x_range = scales.size_range(original.bytes, [spot.bytes for spot in visited])
    up = scales.Axis(metric, original.value)
    x_ticks, x_labels = scales.size_ticks(*x_range)
    y_ticks, y_labels = up.ticks
    outdated = you is not None and size is not None and size != you.bytes
    return {
        "data": [
            _front(pareto([original, *visited], metric), up, palette),
            _past(shown, original, up, palette),
            _origin(original, up, palette),
            _you(you, original, up, palette, faint=outdated),
        ],
        "layout": layout(
            palette,
            _summary(original, you, metric, size if outdated else None),
            xaxis=axis(
                palette,
                _("file size"),
                type="log",
                range=list(x_range),
                tickvals=x_ticks,
                ticktext=x_labels,
            ),
            yaxis=axis(
                palette,
                _("{metric} on validation").format(metric=_(metric.name)),
                range=list(up.range),
                tickvals=y_ticks,
                ticktext=y_labels,
            ),
            shapes=_limits(budget, floor, up, palette) + _size_line(size, palette),
            annotations=_limit_labels(budget, floor, x_range, up, palette),
        ),
    }


def pareto(spots: Sequence[Spot], metric: Metric = ACCURACY) -> list[Spot]:
    """Return the spots on the Pareto front of size and metric, smallest first."""
    best: list[Spot] = []
    sign = -1 if metric.higher_is_better else 1
    for spot in sorted(spots, key=lambda s: (s.bytes, sign * s.value)):
        if not best or metric.better(spot.value, best[-1].value):
            best.append(spot)
    return best


def rows(
    original: Spot, visited: Sequence[Spot], you: Spot | None, metric: Metric = ACCURACY
) -> list[dict[str, Any]]:
    """Return the figure's data as a table with columns named after the metric."""
    name = metric.name.replace(" ", "_")
    named = [("original", original), *(("visited", spot) for spot in visited)]
    named += [("you", you)] if you is not None else []
    return [
        {
            "point": point,
            "bytes": spot.bytes,
            name: spot.value,
            f"{name}_low": spot.low,
            f"{name}_high": spot.high,
        }
        for point, spot in named
    ]


def _thin(visited: Sequence[Spot], metric: Metric) -> list[Spot]:
    if len(visited) <= MAX_SHOWN:
        return list(visited)
    newest = list(visited[-MAX_SHOWN // 2 :])
    return [
        *[spot for spot in pareto(visited, metric) if spot not in newest][: MAX_SHOWN // 2],
        *newest,
    ]


def _front(spots: Sequence[Spot], up: scales.Axis, palette: Palette) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [spot.bytes for spot in spots],
        "y": [up.height(spot.value) for spot in spots],
        "line": {"color": palette.past, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _past(
    spots: Sequence[Spot], original: Spot, up: scales.Axis, palette: Palette
) -> dict[str, Any]:
    hint = _("click to select it")
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "visited",
        "x": [spot.bytes for spot in spots],
        "y": [up.height(spot.value) for spot in spots],
        "customdata": [spot.key for spot in spots],
        "text": [f"{_hover_text(spot, original, up.metric)}<br>{hint}" for spot in spots],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": [11 if spot.trained else 8 for spot in spots],
            "symbol": ["triangle-up" if spot.trained else "circle" for spot in spots],
            "color": palette.past,
            "line": {"color": palette.panel, "width": 1},
        },
    }


def _origin(original: Spot, up: scales.Axis, palette: Palette) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "original",
        "x": [original.bytes],
        "y": [up.height(original.value)],
        "text": [_("original")],
        "textposition": "top center",
        "textfont": {"color": palette.muted, "size": 13},
        "cliponaxis": False,
        "customdata": [_hover_text(original, original, up.metric)],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"size": 13, "color": palette.ink, "line": {"color": palette.panel, "width": 2}},
    }


def _you(
    you: Spot | None, original: Spot, up: scales.Axis, palette: Palette, *, faint: bool
) -> dict[str, Any]:
    spots = [you] if you is not None else []
    heights = [up.height(spot.value) for spot in spots]
    hollow = faint or any(not spot.exact for spot in spots)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "you",
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
        "textposition": "bottom center",
        "textfont": {"color": palette.accent, "size": 13},
        "cliponaxis": False,
        "customdata": [_hover_text(spot, original, up.metric) for spot in spots],
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


def _size_line(size: int | None, palette: Palette) -> list[dict[str, Any]]:
    if size is None:
        return []
    line = {"color": palette.accent, "width": 1, "dash": "dot"}
    ends = {"x0": size, "x1": size, "y0": 0, "y1": 1}
    return [
        {"type": "line", "yref": "paper", "layer": "below", "opacity": 0.6, "line": line, **ends}
    ]


def _limits(
    budget: int | None, floor: float | None, up: scales.Axis, palette: Palette
) -> list[dict[str, Any]]:
    shade = {"type": "rect", "layer": "below", "fillcolor": palette.shade, "line": {"width": 0}}
    edge = {"type": "line", "layer": "below", "line": {"color": palette.muted, "width": 1.5}}
    shapes: list[dict[str, Any]] = []
    if budget:
        shapes.append({**shade, "x0": budget, "x1": 1e15, "yref": "paper", "y0": 0, "y1": 1})
        shapes.append({**edge, "x0": budget, "x1": budget, "yref": "paper", "y0": 0, "y1": 1})
    if floor:
        top = up.height(floor)
        shapes.append(
            {
                **shade,
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": min(-1.0, up.range[0] - 1),
                "y1": top,
            }
        )
        shapes.append({**edge, "xref": "paper", "x0": 0, "x1": 1, "y0": top, "y1": top})
    return shapes


def _limit_labels(
    budget: int | None,
    floor: float | None,
    x_range: tuple[float, float],
    up: scales.Axis,
    palette: Palette,
) -> list[dict[str, Any]]:
    label = {"showarrow": False, "font": {"size": 13, "color": palette.muted}}
    notes: list[dict[str, Any]] = []
    if budget:
        place = min(max(log10(budget), x_range[0]), x_range[1])  # plotly expects the logarithm here
        in_right_half = place > sum(x_range) / 2
        notes.append(
            {
                **label,
                "x": place,
                "y": 0,
                "yref": "paper",
                "yanchor": "bottom",
                "xanchor": "right" if in_right_half else "left",
                "text": _("budget {size}").format(size=formatting.size(budget)),
            }
        )
    if floor:
        notes.append(
            {
                **label,
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": up.height(floor),
                "yanchor": "bottom",
                "text": _("floor {accuracy}").format(accuracy=up.metric.format(floor)),
            }
        )
    return notes


def _hover_text(spot: Spot, original: Spot, metric: Metric) -> str:
    change = metric.change(spot.value - original.value)
    accuracy = metric.format(spot.value)
    if not spot.exact:
        accuracy = f"{metric.format(spot.low)} – {metric.format(spot.high)}"
    trained = f"<br>{_('trained')}" if spot.trained else ""
    return f"<b>{accuracy}</b> ({change})<br>{formatting.nbytes(spot.bytes)}{trained}"


def _summary(original: Spot, you: Spot | None, metric: Metric, size: int | None) -> str:
    if size is not None:
        ratio = formatting.times(original.bytes / size)
        return _("{ratio} smaller: the cost is not measured yet").format(ratio=ratio)
    if you is None or _is_original(you, original):
        return _("The original model: move a slider to compress it")
    return _cost(original, you, metric)


def _is_original(you: Spot, original: Spot) -> bool:
    return you.value == original.value and abs(you.bytes / original.bytes - 1) < 0.005


def _cost(original: Spot, you: Spot, metric: Metric) -> str:
    change = you.value - original.value
    if you.bytes >= original.bytes:
        return _("Not smaller than the original, {change}").format(change=metric.change(change))
    lost = metric.change(abs(change)).lstrip("+±")
    name = _(metric.name)
    if not you.exact:
        text = _("{ratio} smaller for about {lost} of {metric}")
    elif metric.change(change).startswith("±"):
        text = _("{ratio} smaller, and as good as before")
        if metric == ACCURACY:
            text = _("{ratio} smaller, and as accurate as before")
    elif not metric.better(original.value, you.value):
        text = _("{ratio} smaller, and {lost} better")
        if metric == ACCURACY:
            text = _("{ratio} smaller, and {lost} more accurate")
    else:
        text = _("{ratio} smaller costs {lost} of {metric}")
    if not metric.share and (metric.unit or not metric.higher_is_better):
        text = text.replace(" of {metric}", "")
    ratio = formatting.times(original.bytes / you.bytes)
    return text.format(ratio=ratio, lost=lost, metric=name)
