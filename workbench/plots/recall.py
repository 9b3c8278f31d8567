"""Recall of each class before and after compression."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import percent_ticks

ROW = 24
"""Height of one class in px."""


def draw(
    before: Sequence[float],
    after: Sequence[float],
    classes: Sequence[str],
    palette: Palette = LIGHT,
) -> Figure:
    """Draw the recall of each class, from 0 to 1, with the largest loss first.

    Classes without an example (NaN) are omitted.
    """
    entries = sorted(
        (
            (a - b, _(name), b, a)
            for name, b, a in zip(classes, before, after, strict=True)
            if not isnan(b) and not isnan(a)
        ),
        key=lambda entry: entry[0],
    )
    names = [name for _change, name, _b, _a in entries]
    ends: list[float | None] = []
    for _change, _name, b, a in entries:
        ends += [b, a, None]
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": [name for name in names for _end in range(3)],
        "line": {"color": palette.past, "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    low, high = _range([b for _c, _n, b, _a in entries] + [a for _c, _n, _b, a in entries])
    return {
        "data": [
            line,
            _marks(_("before"), names, [b for _c, _n, b, _a in entries], "circle", palette.past),
            _marks(_("after"), names, [a for _c, _n, _b, a in entries], "diamond", palette.accent),
        ],
        "layout": layout(
            palette,
            summary(entries),
            height=130 + ROW * max(1, len(entries)),
            showlegend=True,
            legend=legend(),
            margin={"l": 92, "r": 24, "t": 72, "b": 44},
            xaxis=axis(
                palette,
                _("recall"),
                range=[low, high],
                **percent_ticks(low, 1),
            ),
            yaxis=axis(palette, "", autorange="reversed", automargin=True, dtick=1),
        ),
    }


def summary(entries: Sequence[tuple[float, str, float, float]]) -> str:
    """Name the classes that lost and gained most.

    `entries` are (change, name, before, after), sorted by change.
    """
    if not any(change for change, *_recalls in entries):
        return _("The recall of every class is unchanged")
    (worst, loser, *_b), (best, winner, *_a) = entries[0], entries[-1]
    if worst >= 0:
        return _("No class lost recall; {name} gained most, {change}").format(
            name=winner, change=formatting.points(best)
        )
    text = _("{name} lost most, {change}").format(name=loser, change=formatting.points(worst))
    if best <= 0:
        return text
    return _("{text}; {name} gained {change}").format(
        text=text, name=winner, change=formatting.points(best)
    )


def rows(
    before: Sequence[float], after: Sequence[float], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the figure's data as a table."""
    return [
        {"class": name, "before": b, "after": a, "change": a - b}
        for name, b, a in zip(classes, before, after, strict=True)
    ]


def _marks(
    label: str, names: Sequence[str], shares: Sequence[float], symbol: str, color: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "x": list(shares),
        "y": list(names),
        "text": [formatting.percent(share) for share in shares],
        "hovertemplate": "%{y}, " + label + ": <b>%{text}</b><extra></extra>",
        "marker": {"symbol": symbol, "size": 11, "color": color},
    }


def _range(shares: Sequence[float]) -> list[float]:
    return [max(0.0, min(shares, default=0.0) - 0.05), 1.02]
