"""Metric by file size: the original, presets, the visited points, and the current one."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots import scales, traces
from workbench.plots.finding import finding
from workbench.plots.goal import Goal
from workbench.plots.palette import Palette
from workbench.plots.spots import Landmark, Spot, pareto, thin
from workbench.plots.style import Figure, axis, layout

MARGIN = {"l": 84, "r": 24, "t": 48, "b": 48}
"""Room for an axis title of two lines and short labels at the left, in px."""
SHORT, CHARACTER = 5, 7
"""Characters of a short label at the left; the width of a further one, in px."""


NEAR = 0.1
"""Distance to the current point, as a share of the axes, below which a preset has no label."""


def draw(
    original: Spot,
    visited: Sequence[Spot],
    you: Spot | None,
    palette: Palette,
    *,
    size: int | None = None,
    goal: Goal | None = None,
    landmarks: Sequence[Landmark] = (),
    trail: Sequence[Spot] = (),
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
    goal
        The largest size and the worst value wanted; the area outside is shaded.
    landmarks
        Points known beforehand, such as those of the presets.
    trail
        The results of the last drag, exact or estimated.
    metric
        The metric of the values.
    """
    x_range = size_range(original, visited, landmarks)
    up = scales.Axis(metric, original.value)
    x_ticks, x_labels = scales.size_ticks(*x_range)
    y_ticks, y_labels = up.ticks
    longest = max(map(len, y_labels), default=0)
    outdated = you is not None and size is not None and size != you.bytes
    goal = goal or Goal()
    presets = [mark for mark in landmarks if mark.kind == "preset"]
    covered = [
        mark for mark in presets if you is not None and _is_near(mark.spot, you, x_range, up)
    ]
    return {
        "data": [
            traces.front(pareto([original, *visited], metric), up, palette),
            traces.presets(presets, original, up, palette, covered=covered),
            traces.past(thin(visited, metric), original, up, palette),
            traces.origin(original, up, palette),
            traces.students([mark for mark in landmarks if mark.kind != "preset"], up, palette),
            traces.trail(trail, up, palette),
            traces.you(you, original, up, palette, faint=outdated),
        ],
        "layout": layout(
            palette,
            finding(original, you, metric, size if outdated else None),
            xaxis=axis(
                palette,
                _("file size"),
                type="log",
                range=list(x_range),
                tickangle=0,
                tickvals=x_ticks,
                ticktext=x_labels,
            ),
            yaxis=axis(
                palette,
                y_title(_("{metric} on validation").format(metric=_(metric.name)), up),
                range=list(up.range),
                tickvals=y_ticks,
                ticktext=y_labels,
            ),
            margin=MARGIN | {"l": MARGIN["l"] + CHARACTER * max(0, longest - SHORT)},
            shapes=goal.shapes(up, palette) + traces.size_line(size, palette),
            annotations=goal.labels(x_range, up, palette),
        ),
    }


def _is_near(spot: Spot, you: Spot, x_range: tuple[float, float], up: scales.Axis) -> bool:
    """Whether the current point or its label would lie on the label of `spot`."""
    across = abs(log10(spot.bytes / you.bytes)) / (x_range[1] - x_range[0])
    upward = abs(up.height(spot.value) - up.height(you.value)) / (up.range[1] - up.range[0])
    return across < NEAR and upward < NEAR


def size_range(
    original: Spot, visited: Sequence[Spot], landmarks: Sequence[Landmark] = ()
) -> tuple[float, float]:
    """Return the ends of the size axis as powers of ten."""
    seen = [*visited, *(mark.spot for mark in landmarks)]
    return scales.size_range(original.bytes, [spot.bytes for spot in seen])


def y_title(name: str, up: scales.Axis) -> str:
    """Return the title of the metric's axis, with what its lines mean."""
    return f"{name}<br>{up.note}" if up.note else name


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
