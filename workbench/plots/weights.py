"""The weights of one layer, counted before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _, plural
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.analysis.histogram import Histogram


def draw(counted: Histogram, palette: Palette = LIGHT) -> Figure:
    """Draw how many weights lie where, on a logarithmic axis; zeros are said and not drawn."""
    width = float(counted.edges[1] - counted.edges[0])
    middles = [float(edge) + width / 2 for edge in counted.edges[:-1]]
    before, after = (_zeros(count) for count in counted.zeros)
    return {
        "data": [
            _bars(
                _("before, {zeros}").format(zeros=before),
                middles,
                counted.before.tolist(),
                width,
                palette.past,
            ),
            _bars(
                _("after, {zeros}").format(zeros=after),
                middles,
                counted.after.tolist(),
                width * 0.45,
                palette.accent,
            ),
        ],
        "layout": layout(
            palette,
            summary(counted),
            height=330,
            barmode="overlay",
            showlegend=True,
            legend=legend(),
            margin={"l": 60, "r": 24, "t": 72, "b": 44},
            xaxis=axis(palette, _("value of the weight, zeros left out"), nticks=7),
            yaxis=axis(
                palette,
                _("weights"),
                type="log",
                range=[-0.3, _top(counted)],
                dtick=1,
                tickformat="~s",
            ),
        ),
    }


def summary(counted: Histogram) -> str:
    """Return what has become of the layer's weights, in a sentence."""
    zeros, values = counted.zeros[1], counted.distinct[1]
    if counted.zeros == (zeros, zeros) and counted.distinct[0] == values:
        return _("{layer}: as it was, {values} different values").format(
            layer=counted.layer, values=formatting.count(values)
        )
    left = plural("{count} other value is left", "{count} other values are left", values)
    return _("{layer}: {zeros} of {all} weights are zero, {left}").format(
        layer=counted.layer,
        zeros=formatting.count(zeros),
        all=formatting.count(int(counted.after.sum()) + zeros),
        left=left.format(count=formatting.count(values)),
    )


def rows(counted: Histogram) -> list[dict[str, Any]]:
    """Return the picture's data as a table: the exact zeros first, then a row for each bin."""
    bins: list[dict[str, Any]] = [
        {"from": float(low), "to": float(high), "before": int(b), "after": int(a)}
        for low, high, b, a in zip(
            counted.edges[:-1], counted.edges[1:], counted.before, counted.after, strict=True
        )
    ]
    before, after = counted.zeros
    return [{"from": 0.0, "to": 0.0, "before": before, "after": after}, *bins]


def _zeros(count: int) -> str:
    return plural("{count} zero", "{count} zeros", count).format(count=formatting.count(count))


def _top(counted: Histogram) -> float:
    most = max(int(counted.before.max(initial=1)), int(counted.after.max(initial=1)), 1)
    return len(str(most)) + 0.1


def _bars(
    label: str, middles: Sequence[float], counts: Sequence[int], width: float, colour: str
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": label,
        "x": list(middles),
        "y": [count or None for count in counts],
        "width": width,
        "marker": {"color": colour, "line": {"width": 0}},
        "text": [formatting.count(count) for count in counts],
        "textposition": "none",
        "hovertemplate": _("about %{x:.3g}") + ": <b>%{text}</b><extra></extra>",
    }
