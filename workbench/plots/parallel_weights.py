"""The weights of the ranks during training: how far they are from those of one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.parallel.plan import Plan
    from workbench.parallel.result import Record

DIGITS = 6
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
DASHES = ("solid", "dash", "dot", "dashdot")
SMALLEST = 1e-9
"""The distance that an exact zero is drawn at, on the logarithmic axis."""


def draw(records: Sequence[Record], plan: Plan, palette: Palette = LIGHT) -> Figure:
    """Draw the distance of each rank from the single-process run, and its digests."""
    ranks = sorted({record.rank for record in records if record.rank >= 0})
    return {
        "data": [_line(records, rank, palette) for rank in ranks],
        "layout": layout(
            palette,
            title(records, plan),
            height=360,
            showlegend=True,
            legend=legend(),
            margin={"l": 76, "r": 24, "t": 76, "b": 48},
            xaxis=axis(palette, _("step"), range=[0, plan.steps], rangemode="tozero"),
            yaxis=axis(
                palette, _("relative distance from one process"), type="log", exponentformat="power"
            ),
        ),
    }


def title(records: Sequence[Record], plan: Plan) -> str:
    """Return what the picture shows, as one sentence."""
    ended = [record for record in records if record.rank >= 0 and record.distance is not None]
    if not ended:
        return _("One process trains first, for comparison")
    step = max(record.step for record in ended)
    last = [record for record in ended if record.step == step]
    furthest = max(record.distance or 0.0 for record in last)
    same = len({record.digest for record in last}) == 1
    values = {"step": step, "distance": formatting.number(furthest), "ranks": plan.ranks}
    if same and len(last) > 1:
        return _("After step {step} all ranks have equal weights, bit by bit").format(**values)
    if len(last) > 1:
        return _("After step {step} the ranks have different weights").format(**values)
    return _("After step {step} the distance is {distance}").format(**values)


def _line(records: Sequence[Record], rank: int, palette: Palette) -> dict[str, Any]:
    line = [r for r in records if r.rank == rank and r.distance is not None]
    color = palette.categories[rank % len(palette.categories)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": _("rank {number}").format(number=rank),
        "x": [record.step for record in line],
        "y": [max(record.distance or 0.0, SMALLEST) for record in line],
        "hovertext": [_hover_text(record) for record in line],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "line": {"color": color, "width": 2, "dash": DASHES[rank % len(DASHES)]},
        "marker": {"symbol": SYMBOLS[rank % len(SYMBOLS)], "size": 8 + 2 * rank, "color": color},
        "opacity": 0.85,
    }


def _hover_text(record: Record) -> str:
    lines = [
        _("step {step}").format(step=record.step),
        _("distance {distance}").format(distance=formatting.number(record.distance or 0.0)),
        _("digest {digest}").format(digest=record.digest[:DIGITS]),
    ]
    if record.accuracy is not None:
        lines.append(
            _("accuracy on a sample: {value}").format(value=formatting.percent(record.accuracy))
        )
    return "<br>".join(lines)
