"""Histogram of one layer's weights before and after compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _, plural
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import count_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.analysis.histogram import Histogram


def draw(histogram: Histogram, palette: Palette = LIGHT) -> Figure:
    """Draw both histograms on a logarithmic axis; exact zeros are counted in the legend only."""
    width = float(histogram.edges[1] - histogram.edges[0])
    centers = [float(edge) + width / 2 for edge in histogram.edges[:-1]]
    before, after = (_zeros(count) for count in histogram.zeros)
    powers = len(str(_highest(histogram)))
    return {
        "data": [
            _bars(
                _("before, {zeros}").format(zeros=before),
                centers,
                histogram.before.tolist(),
                width,
                palette.past,
            ),
            _bars(
                _("after, {zeros}").format(zeros=after),
                centers,
                histogram.after.tolist(),
                width * 0.45,
                palette.accent,
            ),
        ],
        "layout": layout(
            palette,
            summary(histogram),
            height=330,
            barmode="overlay",
            showlegend=True,
            legend=legend(),
            margin={"l": 60, "r": 24, "t": 72, "b": 44},
            xaxis=axis(palette, _("weight value, zeros excluded"), nticks=7),
            yaxis=axis(
                palette,
                _("weights"),
                type="log",
                range=[-0.3, powers + 0.1],
                **count_ticks(powers),
            ),
        ),
    }


def summary(histogram: Histogram) -> str:
    """Summarize the change of the layer's weights in one sentence."""
    zeros, values = histogram.zeros[1], histogram.distinct[1]
    if histogram.zeros == (zeros, zeros) and histogram.distinct[0] == values:
        return _("{layer}: unchanged, {values} distinct values").format(
            layer=histogram.layer, values=formatting.count(values)
        )
    others = plural("{count} other distinct value", "{count} other distinct values", values)
    return _("{layer}: {zeros} of {all} weights are zero, {others}").format(
        layer=histogram.layer,
        zeros=formatting.count(zeros),
        all=formatting.count(int(histogram.after.sum()) + zeros),
        others=others.format(count=formatting.count(values)),
    )


def card(histogram: Histogram) -> Card:
    """Return the card: the weights, zeros and other values of the layer."""
    facts = [(formatting.count(histogram.weights), _("weights"))]
    pairs = {_("zeros"): histogram.zeros, _("other distinct values"): histogram.distinct}
    for label, (before, after) in pairs.items():
        facts.append((f"{formatting.count(before)} → {formatting.count(after)}", label))
    return Card(formatting.titled(histogram.model, summary(histogram)), facts)


def rows(histogram: Histogram) -> list[dict[str, Any]]:
    """Return the figure's data as a table: the exact zeros first, then a row for each bin."""
    bins: list[dict[str, Any]] = [
        {"from": float(low), "to": float(high), "before": int(b), "after": int(a)}
        for low, high, b, a in zip(
            histogram.edges[:-1],
            histogram.edges[1:],
            histogram.before,
            histogram.after,
            strict=True,
        )
    ]
    before, after = histogram.zeros
    return [{"from": 0.0, "to": 0.0, "before": before, "after": after}, *bins]


def _zeros(count: int) -> str:
    return plural("{count} zero", "{count} zeros", count).format(count=formatting.count(count))


def _highest(histogram: Histogram) -> int:
    return max(int(histogram.before.max(initial=1)), int(histogram.after.max(initial=1)), 1)


def _bars(
    label: str, centers: Sequence[float], counts: Sequence[int], width: float, color: str
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": label,
        "x": list(centers),
        "y": [count or None for count in counts],
        "width": width,
        "marker": {"color": color, "line": {"width": 0}},
        "text": [formatting.count(count) for count in counts],
        "textposition": "none",
        "hovertemplate": _("about %{x:.3g}") + ": <b>%{text}</b><extra></extra>",
    }
