"""The goal in the trade-off: the largest size and the worst metric wanted; the rest is shaded."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from textwrap import wrap
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots import scales
from workbench.plots.palette import Palette

LINE = 16
"""Letters in a line of the text, so that it leaves room for points on a phone."""


@dataclass(frozen=True)
class Goal:
    """The largest size in bytes and the worst value of the metric; None is no limit.

    `text` says how many results meet it.
    """

    budget: int | None = None
    floor: float | None = None
    text: str = ""

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

    def labels(
        self, x_range: tuple[float, float], up: scales.Axis, palette: Palette
    ) -> list[dict[str, Any]]:
        """Return the limits at the edges, and the text."""
        label = {"showarrow": False, "font": {"size": 13, "color": palette.muted}}
        notes: list[dict[str, Any]] = []
        if self.budget:
            place = min(max(log10(self.budget), x_range[0]), x_range[1])  # plotly's logarithm
            in_right_half = place > sum(x_range) / 2
            at = {"x": place, "y": 0, "yref": "paper", "yanchor": "bottom"}
            text = _("larger than the goal of {size}").format(size=formatting.size(self.budget))
            anchor = "right" if in_right_half else "left"
            notes.append({**label, **at, "xanchor": anchor, "text": text})
        if self.floor:
            at = {"x": 0, "xref": "paper", "xanchor": "left"}
            text = _("worse than the goal of {value}").format(value=up.metric.format(self.floor))
            height = up.height(self.floor)
            notes.append({**label, **at, "y": height, "yanchor": "top", "text": text})
        if self.text:
            text = "<br>".join(wrap(self.text, LINE))
            notes.append({**label, **_TOP_LEFT, "align": "left", "text": text})
        return notes


_TOP_LEFT = {
    "x": 0,
    "xref": "paper",
    "xanchor": "left",
    "y": 1,
    "yref": "paper",
    "yanchor": "top",
}
