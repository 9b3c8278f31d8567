"""What good recipes have in common: parallel coordinates of their fields, bytes and metric."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.plots import scales
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, layout
from workbench.plots.ticks import byte_ticks, number_ticks, percent_ticks
from workbench.recipe.labels import field_label

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from workbench.domain.metric import Metric
    from workbench.study.result import StudyResult
    from workbench.study.space import Space

    Ticks = Callable[[float, float], dict[str, Any]]

TICKS = 8
"""The values of a field that are named; plotly.js moves the ends of a dragged range to them."""
FEW = 3
"""With fewer ticks of 1, 3, 10 …, the size axis has evenly spaced ticks instead."""
MAX_LINES = 300
"""The newest recipes that are drawn, in addition to those of the front."""


def draw(
    result: StudyResult,
    palette: Palette = LIGHT,
    title: str | None = None,
    *,
    space: Space | None = None,
    narrowed: Collection[tuple[str, int, int]] = (),
) -> Figure:
    """Draw a line for each exactly measured recipe; those of the front have the accent color.

    Dragging along an axis with the mouse keeps only the lines that pass there.

    Parameters
    ----------
    result, palette, title
        What to draw, its colors, and the title.
    space
        The values of the axes; by default those of the study.
    narrowed
        The fields with a dragged range: the key, and the indices of its first and last value.
    """
    exact = [trial for trial in result.trials if trial.exact]
    on_front = set(map(id, result.front))
    trials = [t for t in exact[:-MAX_LINES] if id(t) in on_front] + exact[-MAX_LINES:]
    space = space or result.study.space
    ranges = {key: [first - 0.5, last + 0.5] for key, first, last in narrowed}
    positions = [space.position(trial.recipe) for trial in trials]
    dimensions: list[dict[str, Any]] = []
    for number, (key, values) in enumerate(space.axes.items()):
        places = [position[number] for position in positions]
        if len(set(places)) > 1 or key in ranges:
            dimensions.append(_field(key, values, places) | _brush(ranges.get(key)))
    sizes = [log10(trial.bytes) for trial in trials]
    metric = [result.metric.sort_key(trial.value) for trial in trials]
    dimensions.append(_numbers(_("file size"), sizes, _size_ticks))
    dimensions.append(
        _numbers(
            result.metric.label, metric, lambda low, high: _metric_ticks(low, high, result.metric)
        )
    )
    colors = [float(id(trial) in on_front) for trial in trials]
    return {
        "data": [
            {
                "type": "parcoords",
                "dimensions": dimensions,
                "line": {
                    "color": colors,
                    "cmin": 0,
                    "cmax": 1,
                    "colorscale": [[0, palette.line], [1, palette.accent]],
                },
                "labelfont": {"color": palette.ink, "size": 13},
                "tickfont": {"color": palette.ink, "size": 13},
                "rangefont": {"size": 1, "color": "rgba(0,0,0,0)"},
                "labelangle": -20,
            }
        ],
        "layout": layout(
            palette,
            title or _("Recipes of the front have the stronger color"),
            margin={"l": 70, "r": 70, "t": 130, "b": 24},
        ),
    }


def _brush(ends: list[float] | None) -> dict[str, Any]:
    return {"multiselect": False} | ({} if ends is None else {"constraintrange": ends})


def _field(key: str, values: Any, places: list[int]) -> dict[str, Any]:
    used = list(range(len(values))) if len(values) <= TICKS else sorted(set(places))
    shown = used if len(used) <= TICKS else used[:: -(-len(used) // TICKS)]
    return {
        "name": key,
        "label": field_label(key),
        "values": places,
        "range": [-0.5, len(values) - 0.5],
        "tickvals": shown,
        "ticktext": [str(values[place]) for place in shown],
    }


def _numbers(name: str, values: list[float], ticks: Ticks) -> dict[str, Any]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if low == high:
        low, high = low - 1, high + 1
    return {
        "label": name,
        "values": values,
        "multiselect": False,
        "range": [low, high],
        **ticks(low, high),
    }


def _size_ticks(low: float, high: float) -> dict[str, Any]:
    """Return round sizes between two logarithms."""
    places, texts = scales.size_ticks(low, high)
    if len(places) < FEW:
        steps = byte_ticks(10**high, low=10**low)
        places, texts = steps["tickvals"], steps["ticktext"]
    return {"tickvals": [log10(place) for place in places], "ticktext": texts}


def _metric_ticks(low: float, high: float, metric: Metric) -> dict[str, Any]:
    """Return round values of a metric on an axis where better is higher."""
    if metric.is_fraction:
        return percent_ticks(low, high)
    return number_ticks(low, high, sign=1 if metric.higher_is_better else -1)
