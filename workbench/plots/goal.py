"""The goal in the trade-off: the acceptable sizes and metric values; the rest is shaded."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import Any

from workbench import formatting
from workbench.domain.metric import Metric
from workbench.i18n import _
from workbench.plots import label_places, scales
from workbench.plots.label_places import Box, Places
from workbench.plots.palette import Palette

STEPS = 6
"""Heights at which the label of the size may stand, from the bottom, one line apart."""

APART = 24
"""Between the labels of both limits, in px, so that they are not read as one."""

SIZES = [("B", 1), *reversed(formatting.BYTE_UNITS)]
"""The units of sizes, in bytes, the smallest first."""


@dataclass(frozen=True)
class Goal:
    """The largest size in bytes and the worst value of the metric; None is no limit.

    `suggested` has the names of limits, "max_bytes" or "min_accuracy", that the user has not set.
    """

    budget: int | None = None
    floor: float | None = None
    suggested: tuple[str, ...] = ()

    def shapes(self, up: scales.Axis, palette: Palette) -> list[dict[str, Any]]:
        """Return the shaded areas outside the goal, with their edges."""
        shade = {"type": "rect", "layer": "below", "fillcolor": palette.shade, "line": {"width": 0}}
        edge = {"type": "line", "layer": "below", "line": {"color": palette.muted, "width": 1.5}}
        shapes: list[dict[str, Any]] = []
        if self.budget:
            tall = {"yref": "paper", "y0": 0, "y1": 1}
            shapes.append({**shade, "x0": self.budget, "x1": 1e15, **tall})
            shapes.append({**edge, "x0": self.budget, "x1": self.budget, **tall})
        if self.floor:
            top, bottom = up.height(self.floor), min(-1.0, up.range[0] - 1)
            wide = {"xref": "paper", "x0": 0, "x1": 1}
            shapes.append({**shade, **wide, "y0": bottom, "y1": top})
            shapes.append({**edge, **wide, "y0": top, "y1": top})
        return shapes

    def limits(self, up: scales.Axis) -> list[dict[str, Any]]:
        """Return what lets a page drag the limits: their axes, values, units and labels."""
        limits: list[dict[str, Any]] = []
        for key, axis, scale, value, unit, units in (
            ("budget", "x", "size", self.budget, 1000, SIZES),
            ("floor", "y", up.scale, self.floor, *_units(up.metric)),
        ):
            if value:
                sign = _sign(axis == "y" and up.metric.higher_is_better)
                label = _("goal {sign} {limit}").replace("{sign}", sign)
                limit = {"key": key, "axis": axis, "scale": scale, "value": value, "unit": unit}
                limits.append({**limit, "units": units, "label": label, "none": _("no limit")})
        return limits

    def labels(self, places: Places, up: scales.Axis, palette: Palette) -> list[dict[str, Any]]:
        """Return the limits on either side of their edges, where there is room."""
        label = {"showarrow": False, "font": {"size": 13, "color": palette.muted}}
        notes: list[dict[str, Any]] = []
        if self.budget:
            place = self._place_budget(places)
            notes += [{**label, **place}] if place else []
        if self.floor:
            place = self._place_floor(places, up)
            notes += [{**label, **place}] if place else []
        return notes

    def _is_set(self, name: str) -> bool:
        return name not in self.suggested

    def _place_budget(self, places: Places) -> dict[str, Any] | None:
        """Return the text at the edge of the size, and its place."""
        assert self.budget is not None
        limit, position = formatting.round_size(self.budget), log10(self.budget)
        edge, gap = places.at(position, 0.0)[0], label_places.GAP
        boxes: dict[tuple[str, str, int], Box] = {}
        for step in range(STEPS):
            for anchor, text in _texts(
                ("right", "left"), _sign(False), limit, is_set=self._is_set("max_bytes")
            ):
                width, height = label_places.size([text])
                start = edge - gap - width if anchor == "right" else edge + gap
                bottom = step * height
                boxes[anchor, text, step] = Box(start, bottom, start + width, bottom + height)
        chosen = places.choose(boxes)
        if chosen is None:
            return None
        anchor, text, step = chosen
        box = boxes[chosen]
        places.taken.append(Box(box.start - APART, box.bottom, box.end + APART, box.top))
        return {
            "x": min(max(position, places.low[0]), places.high[0]),  # plotly's logarithm
            "xanchor": anchor,
            "xshift": (-1 if anchor == "right" else 1) * gap / 2,
            "y": 0,
            "yref": "paper",
            "yanchor": "bottom",
            "yshift": step * label_places.LINE,
            "text": text,
        }

    def _place_floor(self, places: Places, up: scales.Axis) -> dict[str, Any] | None:
        """Return the text at the edge of the metric, and its place."""
        assert self.floor is not None
        unit, ((name, _scale),) = _units(up.metric)
        limit, height = f"{self.floor / unit:.9g}", up.height(self.floor)
        limit += f"{formatting.NARROW_SPACE}{name}" if name else ""
        sign, is_set = _sign(up.metric.higher_is_better), self._is_set("min_accuracy")
        edge = places.at(0.0, height)[1]
        boxes: dict[tuple[str, str, str], Box] = {}
        for side in ("left", "right"):
            for anchor, text in _texts(("bottom", "top"), sign, limit, is_set=is_set):
                width, tall = label_places.size([text])
                start = 0.0 if side == "left" else label_places.WIDTH - width
                bottom = edge + 1 if anchor == "bottom" else edge - 1 - tall
                boxes[side, anchor, text] = Box(start, bottom, start + width, bottom + tall)
        chosen = places.choose(boxes)
        if chosen is None:
            return None
        side, anchor, text = chosen
        across = {"x": 0 if side == "left" else 1, "xref": "paper", "xanchor": side}
        shown = min(max(height, places.low[1]), places.high[1])
        return {**across, "y": shown, "yanchor": anchor, "text": text}


def _units(metric: Metric) -> tuple[float, list[tuple[str, float]]]:
    """Return the unit of the field of a limit on a metric, and that of its label."""
    if metric.is_fraction:
        return 0.01, [("%", 0.01)]
    return 1, [(_(metric.unit) if metric.unit else "", 1)]


def _sign(higher_is_better: bool) -> str:
    return "≥" if higher_is_better else "≤"


def _texts(
    anchors: tuple[str, str], sign: str, limit: str, *, is_set: bool
) -> list[tuple[str, str]]:
    """Return the texts for a limit, each with an anchor that puts it on a side of the edge."""
    long = _("goal {sign} {limit}") if is_set else _("suggested {sign} {limit}")
    texts = (long.format(sign=sign, limit=limit), f"{sign} {limit}")
    return [(anchor, text) for text in texts for anchor in anchors]
