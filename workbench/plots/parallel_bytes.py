"""The bytes that each rank holds and sends, next to the formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _, mark
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import PATTERN, Figure, axis, layout, legend
from workbench.plots.ticks import byte_ticks

if TYPE_CHECKING:
    from workbench.parallel.result import ParallelTraining

KINDS = {
    "weights": mark("weights"),
    "gradients": mark("gradients"),
    "optimizer": mark("optimizer state"),
    "sent": mark("sent per step"),
}
PATTERNS = ("", "/", ".", "x")


def draw(result: ParallelTraining, palette: Palette = LIGHT) -> Figure:
    """Draw stacked bars of the bytes that each rank holds, and a bar of those that it sends."""
    held = [sum(rank.held.values()) for rank in result.ranks]
    sent = [_value(result, rank, "sent") for rank in range(result.plan.ranks)]
    return {
        "data": [_bars(result, number, palette) for number in range(len(KINDS))],
        "layout": layout(
            palette,
            title(result),
            height=360,
            barmode="stack",
            bargap=0.4,
            showlegend=True,
            legend=legend(),
            margin={"l": 76, "r": 24, "t": 76, "b": 48},
            xaxis=axis(palette, "", type="category", showgrid=False, tickangle=0),
            yaxis=axis(palette, _("bytes"), rangemode="tozero", **byte_ticks(max(*held, *sent))),
        ),
    }


def title(result: ParallelTraining) -> str:
    """Return what the picture shows, as one sentence."""
    largest = max(sum(rank.held.values()) for rank in result.ranks)
    size = formatting.size(largest)
    if result.ranks[0].formula is None:
        return _("Each rank holds up to {size}").format(size=size)
    if all(rank.formula == dict(rank.held) for rank in result.ranks):
        return _("Each rank holds {size}, exactly as the formula predicts").format(size=size)
    return _("Each rank holds {size}, which is not what the formula predicts").format(size=size)


def _bars(result: ParallelTraining, number: int, palette: Palette) -> dict[str, Any]:
    kind = [*KINDS][number]
    values = [_value(result, rank, kind) for rank in range(result.plan.ranks)]
    name = _(KINDS[kind])
    return {
        "type": "bar",
        "name": name,
        "x": [_place(rank, sent=kind == "sent") for rank in range(result.plan.ranks)],
        "y": values,
        "hovertext": [
            f"{name}<br>{formatting.nbytes(round(value))}{_formula(result, rank, kind)}"
            for rank, value in enumerate(values)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": palette.categories[number],
            "pattern": {"shape": PATTERNS[number], **PATTERN},
        },
    }


def _place(rank: int, *, sent: bool) -> str:
    text = _("rank {number}<br>sends") if sent else _("rank {number}")
    return text.format(number=rank)


def _value(result: ParallelTraining, rank: int, kind: str) -> float:
    if kind == "sent":
        return sum(result.sent_bytes(rank).values())
    return result.ranks[rank].held[kind]


def _formula(result: ParallelTraining, rank: int, kind: str) -> str:
    formula = result.ranks[rank].formula
    if kind == "sent" or formula is None:
        return ""
    return "<br>" + _("formula: {size}").format(size=formatting.nbytes(formula[kind]))
