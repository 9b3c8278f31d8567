"""The weights of the ranks during training: how far they are from those of one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import percent_ticks, step_ticks

if TYPE_CHECKING:
    from workbench.parallel.plan import Plan
    from workbench.parallel.result import Record

DIGITS = 6
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
DASHES = ("solid", "dash", "dot", "dashdot")
BOTTOM = -9
"""The power of ten at the lower end of the logarithmic axis, which is labeled as zero."""
TICKS = {BOTTOM: "0", -8: "10⁻⁸", -6: "10⁻⁶", -4: "10⁻⁴", -2: "10⁻²", 0: "1"}


def draw(
    records: Sequence[Record], plan: Plan, palette: Palette = LIGHT, *, accuracy: bool = False
) -> Figure:
    """Draw the distance of each rank from the single-process run, and its digests.

    Parameters
    ----------
    accuracy
        Whether to draw the accuracy on a sample instead, of the single process too.
    """
    ranks = sorted({record.rank for record in records if record.rank >= 0 or accuracy})
    return {
        "data": [_line(records, rank, palette, accuracy=accuracy) for rank in ranks],
        "layout": layout(
            palette,
            title(records, plan),
            height=360,
            showlegend=True,
            legend=legend(),
            margin={"l": 76, "r": 24, "t": 76, "b": 48},
            xaxis=axis(palette, _("step"), range=[0, plan.steps * 1.02], **step_ticks(plan.steps)),
            yaxis=_accuracy_axis(palette) if accuracy else _distance_axis(palette),
        ),
    }


def _distance_axis(palette: Palette) -> dict[str, Any]:
    return axis(
        palette,
        _("relative distance from one process"),
        type="log",
        range=[BOTTOM - 0.2, 1],
        tickvals=[10.0**power for power in TICKS],
        ticktext=[*TICKS.values()],
    )


def _accuracy_axis(palette: Palette) -> dict[str, Any]:
    return axis(palette, _("accuracy on a sample"), range=[0, 1], **percent_ticks(0, 1))


def title(records: Sequence[Record], plan: Plan) -> str:
    """Return what the picture shows, as one sentence."""
    ended = [record for record in records if record.rank >= 0 and record.distance is not None]
    if not ended:
        return _("One process trains first, for comparison")
    step = max(record.step for record in ended)
    last = [record for record in ended if record.step == step]
    furthest = max(record.distance or 0.0 for record in last)
    same = len({record.digest for record in last}) == 1
    values = {"step": step, "distance": formatting.scientific(furthest), "ranks": plan.ranks}
    if same and len(last) > 1:
        return _("After step {step} all ranks have equal weights, bit by bit").format(**values)
    if len(last) > 1:
        return _("After step {step} the ranks have different weights").format(**values)
    return _("After step {step} the distance is {distance}").format(**values)


def _line(
    records: Sequence[Record], rank: int, palette: Palette, *, accuracy: bool
) -> dict[str, Any]:
    line = [r for r in records if r.rank == rank]
    if accuracy:
        line = [record for record in line if record.accuracy is not None]
        heights = [record.accuracy or 0.0 for record in line]
    else:
        line = [record for record in line if record.distance is not None]
        heights = [max(record.distance or 0.0, 10.0**BOTTOM) for record in line]
    color = palette.past if rank < 0 else palette.categories[rank % len(palette.categories)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": _("one process") if rank < 0 else _("rank {number}").format(number=rank),
        "x": [record.step for record in line],
        "y": heights,
        "hovertext": [_hover_text(record) for record in line],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "line": {"color": color, "width": 2, "dash": DASHES[rank % len(DASHES)]},
        "marker": {
            "symbol": SYMBOLS[rank % len(SYMBOLS)],
            "size": 10 - 2 * max(0, rank),
            "color": color,
        },
        "opacity": 0.85,
    }


def _hover_text(record: Record) -> str:
    lines = [
        _("step {step}").format(step=record.step),
        _("digest {digest}").format(digest=record.digest[:DIGITS]),
    ]
    if record.distance is not None:
        lines.append(
            _("distance {distance}").format(distance=formatting.scientific(record.distance))
        )
    if record.accuracy is not None:
        lines.append(
            _("accuracy on a sample: {value}").format(value=formatting.percent(record.accuracy))
        )
    return "<br>".join(lines)
