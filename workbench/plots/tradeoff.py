"""Metric by file size: the original, presets, the visited points, and the current one."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10
from typing import Any

from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots import label_places, scales, traces
from workbench.plots.finding import finding
from workbench.plots.goal import Goal
from workbench.plots.label_places import Box, Places
from workbench.plots.palette import Palette
from workbench.plots.spots import Landmark, Spot, pareto, thin
from workbench.plots.style import Figure, axis, layout

MARGIN = {"l": 84, "r": 24, "t": 48, "b": 48}
"""Room for an axis title of two lines and short labels at the left, in px."""
SHORT, CHARACTER = 5, 7
"""Characters of a short label at the left; the width of a further one, in px."""


LABELS = {"student": "top center", "alone": "bottom center"}
"""Where the page draws the labels of students."""
HOVER = 12
"""How far from a point a click selects it, in px: a target of 24 px for a finger."""
EDGE = 0.2
"""How far the metric axis extends below the worst landmark, as a fraction of its loss."""
YOU, LIVE_LABEL = 12, 64
"""Half the width of the current point, and the room for it and its label at the right, in px."""


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
    label: str = "",
    name: str = "",
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
        The largest acceptable size and the worst acceptable value; the area outside is shaded.
    landmarks
        Points known beforehand, such as those of the presets.
    trail
        The results of the last drag, exact or estimated.
    metric
        The metric of the values.
    label
        What `you` is called, on a side of the point where neither lines nor points are.
    name
        The label of `original`; by default the text “original”.
    """
    x_range = size_range(original, visited, landmarks)
    up = value_axis(original, landmarks, metric)
    x_ticks, x_labels = scales.size_ticks(*x_range)
    y_ticks, y_labels = up.ticks
    longest = max(map(len, y_labels), default=0)
    outdated = you is not None and size is not None and size != you.bytes
    goal = goal or Goal()
    presets = [mark for mark in landmarks if mark.kind == "preset"]
    called = name or _("original")
    places = _places(original, called, visited, you, goal, landmarks, x_range, up)
    current = traces.you(you, original, up, palette, faint=outdated)
    if you is not None and label:
        current |= _name(label, places, places.at(*_position(you, up)))
    notes = goal.labels(places, up, palette)
    shown = [mark for mark in presets if up.height(mark.spot.value) > up.range[0]]
    measured = [original, *visited, *(mark.spot for mark in landmarks)]
    sides = [
        places.choose(
            label_places.around(places.at(*_position(mark.spot, up)), mark.label),
            right=MARGIN["r"],
            top=MARGIN["t"] / 2,
        )
        for mark in shown
    ]
    return {
        "data": [
            traces.front(pareto(measured, metric), up, palette),
            traces.presets(shown, original, up, palette, sides),
            traces.past(thin(visited, metric), original, up, palette),
            traces.origin(original, called, up, palette),
            traces.students([mark for mark in landmarks if mark.kind != "preset"], up, palette),
            traces.trail(trail, up, palette),
            current,
        ],
        "layout": layout(
            palette,
            finding(original, you, metric, size if outdated else None, name=name),
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
                y_title(_("{metric} on validation").format(metric=metric.label), up),
                range=list(up.range),
                tickvals=y_ticks,
                ticktext=y_labels,
            ),
            margin=MARGIN | {"l": MARGIN["l"] + CHARACTER * max(0, longest - SHORT)},
            shapes=goal.shapes(up, palette) + traces.size_line(size, palette),
            annotations=notes,
            hoverdistance=HOVER,
            meta={"limits": goal.limits(up)},
        ),
    }


def _places(
    original: Spot,
    name: str,
    visited: Sequence[Spot],
    you: Spot | None,
    goal: Goal,
    landmarks: Sequence[Landmark],
    x_range: tuple[float, float],
    up: scales.Axis,
) -> Places:
    """Return what labels may not cover: points, edges of the goal, labels with fixed places."""
    places = Places((x_range[0], up.range[0]), (x_range[1], up.range[1]))
    for spot in (original, *visited, *(mark.spot for mark in landmarks)):
        places.add_point(*_position(spot, up))
    for text, spot, side in [
        (name, original, "top center"),
        *((m.label, m.spot, LABELS[m.kind]) for m in landmarks if m.kind in LABELS),
    ]:
        places.taken.append(label_places.around(places.at(*_position(spot, up)), text)[side])
    if you is not None:
        center = places.at(*_position(you, up))
        places.add_point(*_position(you, up), YOU)
        sides = label_places.around(center, _("you") + "  ")
        fits = center[0] + LIVE_LABEL < label_places.WIDTH + MARGIN["r"]
        places.taken.append(sides["middle right" if fits else "middle left"])
    places.add_line(
        x=log10(goal.budget) if goal.budget else None,
        y=up.height(goal.floor) if goal.floor else None,
    )
    return places


def _name(label: str, places: Places, center: tuple[float, float]) -> dict[str, Any]:
    """Return the label of the current point, placed where the front does not cross it."""
    across, up = center
    places.taken.append(Box(across + YOU, up - 1, label_places.WIDTH, up + 1))
    places.taken.append(Box(across - 1, 0, across + 1, up - YOU))
    boxes = label_places.around(center, label, YOU)
    right, top = MARGIN["r"], MARGIN["t"] / 2
    side = places.choose(boxes, right=right, top=top) or "top center"
    return {"text": [label], "textposition": side}


def _position(spot: Spot, up: scales.Axis) -> tuple[float, float]:
    return log10(spot.bytes), up.height(spot.value)


def size_range(
    original: Spot, visited: Sequence[Spot], landmarks: Sequence[Landmark] = ()
) -> tuple[float, float]:
    """Return the ends of the size axis as powers of ten."""
    seen = [*visited, *(mark.spot for mark in landmarks)]
    return scales.size_range(original.bytes, [spot.bytes for spot in seen])


def value_axis(original: Spot, landmarks: Sequence[Landmark], metric: Metric) -> scales.Axis:
    """Return the axis of the metric, which reaches the worst landmark if that is not too far."""
    known = [mark.spot.value for mark in landmarks if isfinite(mark.spot.value)]
    worst = min(known, key=metric.sort_key, default=None)
    if worst is not None:  # above the edge
        worst += EDGE * (worst - original.value)
    return scales.Axis(metric, original.value, worst)


def y_title(name: str, up: scales.Axis) -> str:
    """Return the title of the metric's axis, with what its lines mean."""
    return f"{name}<br>{up.note}" if up.note else name


def rows(
    original: Spot,
    visited: Sequence[Spot],
    you: Spot | None,
    metric: Metric = ACCURACY,
    *,
    landmarks: Sequence[Landmark] = (),
    goal: Goal | None = None,
) -> list[dict[str, Any]]:
    """Return what the figure shows as a table with columns named after the metric.

    `point` is "original", "visited", "you", the kind of a landmark, or "goal" for the limits.
    """
    name = metric.name.replace(" ", "_")
    named = [("original", "", original), *(("visited", "", spot) for spot in visited)]
    named += [(mark.kind, mark.label, mark.spot) for mark in landmarks]
    named += [("you", "", you)] if you is not None else []
    table: list[dict[str, Any]] = [
        {
            "point": point,
            "label": label,
            "bytes": spot.bytes,
            name: spot.value,
            f"{name}_low": spot.low,
            f"{name}_high": spot.high,
        }
        for point, label, spot in named
    ]
    if goal is not None and (goal.budget, goal.floor) != (None, None):
        limits = {"bytes": goal.budget, name: goal.floor}
        table.append({**dict.fromkeys(table[0]), **limits, "point": "goal"})
    return table
