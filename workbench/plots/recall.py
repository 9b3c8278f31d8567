"""How much of each class is found, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

ROW = 24
"""Height of a class, in px."""


def draw(
    before: Sequence[float],
    after: Sequence[float],
    classes: Sequence[str],
    palette: Palette = LIGHT,
) -> Figure:
    """Draw the recall of each class, 0 to 1, of the original and of the file: what lost most first.

    Classes without an example (NaN) are left out.
    """
    found = sorted(
        (
            (a - b, _(name), b, a)
            for name, b, a in zip(classes, before, after, strict=True)
            if not isnan(b) and not isnan(a)
        ),
        key=lambda one: one[0],
    )
    names = [name for _change, name, _b, _a in found]
    ends: list[float | None] = []
    for _change, _name, b, a in found:
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
    return {
        "data": [
            line,
            _marks(_("before"), names, [b for _c, _n, b, _a in found], "circle", palette.past),
            _marks(_("after"), names, [a for _c, _n, _b, a in found], "diamond", palette.accent),
        ],
        "layout": layout(
            palette,
            summary(found),
            height=130 + ROW * max(1, len(found)),
            showlegend=True,
            legend=legend(),
            margin={"l": 92, "r": 24, "t": 72, "b": 44},
            xaxis=axis(
                palette,
                _("recall: share of the class that is found"),
                range=_reach([b for _c, _n, b, _a in found] + [a for _c, _n, _b, a in found]),
                tickformat=".0%",
                nticks=6,
            ),
            yaxis=axis(palette, "", autorange="reversed", automargin=True, dtick=1),
        ),
    }


def summary(found: Sequence[tuple[float, str, float, float]]) -> str:
    """Return which class lost and which won most; `found` as `draw` sorts it."""
    if not found or not any(change for change, *_more in found):
        return _("Every class is found as often as before")
    (worst, loser, *_b), (best, winner, *_a) = found[0], found[-1]
    if worst >= 0:
        return _("No class lost; {name} won most, {change}").format(
            name=winner, change=formatting.points(best)
        )
    said = _("{name} lost most, {change}").format(name=loser, change=formatting.points(worst))
    if best <= 0:
        return said
    return _("{said}; {name} won {change}").format(
        said=said, name=winner, change=formatting.points(best)
    )


def rows(
    before: Sequence[float], after: Sequence[float], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the picture's data as a table."""
    return [
        {"class": name, "before": b, "after": a, "change": a - b}
        for name, b, a in zip(classes, before, after, strict=True)
    ]


def _marks(
    label: str, names: Sequence[str], shares: Sequence[float], symbol: str, colour: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "x": list(shares),
        "y": list(names),
        "text": [formatting.percent(share) for share in shares],
        "hovertemplate": "%{y}, " + label + ": <b>%{text}</b><extra></extra>",
        "marker": {"symbol": symbol, "size": 11, "color": colour},
    }


def _reach(shares: Sequence[float]) -> list[float]:
    return [max(0.0, min(shares, default=0.0) - 0.05), 1.02]
