"""Predicted against measured for every row, on logarithmic axes."""

from __future__ import annotations

import itertools
from math import log10
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _, mark as N_
from workbench.planner.chips import chips
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, layout, legend, log_axis

if TYPE_CHECKING:
    from workbench.planner.compared import Compared
    from workbench.planner.validation import Validation

HEIGHT = 460
MARGIN = 0.1
"""Distance from the outermost points to the ends of the axes, as an exponent of ten."""
SYMBOLS = ("circle", "square", "diamond")
KINDS = {
    "step time": N_("step time"),
    "time per token": N_("time per token"),
    "energy per token": N_("energy per token"),
    "time to read": N_("time to read"),
    "peak memory": N_("peak memory"),
    "reserved memory": N_("reserved memory"),
    "published memory": N_("peak memory, published"),
    "state memory": N_("state memory"),
    "activations": N_("activations"),
    "energy": N_("energy"),
    "operations per token": N_("operations per token"),
}


def draw(validation: Validation, palette: Palette = LIGHT, *, kind: str = "step time") -> Figure:
    """Draw the predicted against the measured value of each row of a kind, on logarithmic axes.

    Rows that were not used to fit the planner's coefficients are hollow; the last entry of the
    legend says so. Each chip has a color and one entry. If there are more chips than colors, the
    colors repeat with squares, then with diamonds.

    Parameters
    ----------
    validation
    palette
        The colors of the light or the dark theme.
    kind
        The quantity that is compared, one of `validation.kinds`, such as "step time".
    """
    rows = validation.of(kind)
    data: list[dict[str, Any]] = [_diagonal(rows, palette)]
    looks = itertools.product(SYMBOLS, palette.categories)
    for name, look in zip(sorted({row.chip for row in rows}), looks, strict=False):
        fitted = [row for row in rows if row.chip == name and row.is_fitted]
        others = [row for row in rows if row.chip == name and not row.is_fitted]
        data.append(_points(_title(name), fitted, *look))
        data.append(_points(_title(name), others, *look, is_hollow=True) | {"showlegend": False})
    if any(not row.is_fitted for row in rows):
        text = _("hollow: not used for fitting")
        data.append(_points(text, [], SYMBOLS[0], palette.muted, is_hollow=True))
    unit = rows[0].unit if rows else ""
    ends = _ends(rows)
    return {
        "data": data,
        "layout": layout(
            palette,
            formatting.titled(_(KINDS.get(kind, kind)), _summary(rows)),
            height=HEIGHT,
            showlegend=True,
            legend=legend(),
            margin={"l": 80, "r": 24, "t": 110, "b": 52},
            xaxis=log_axis(palette, _("measured ({unit})").format(unit=unit), range=ends),
            yaxis=log_axis(palette, _("predicted ({unit})").format(unit=unit), range=ends),
        ),
    }


def _ends(rows: list[Compared]) -> list[float]:
    """Return the range of both axes, low and high, as exponents of ten."""
    powers = [log10(value) for row in rows for value in (row.measured, row.predicted)] or [0.0, 1.0]
    return [min(powers) - MARGIN, max(powers) + MARGIN]


def _diagonal(rows: list[Compared], palette: Palette) -> dict[str, Any]:
    ends = [min(row.measured for row in rows), max(row.measured for row in rows)] if rows else []
    return {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": ends,
        "line": {"color": palette.line, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _title(name: str) -> str:
    """Return the title of a chip, or its name if the package's table of chips does not have it.

    Published rows may come from systems that are not in that table.
    """
    known = chips().get(name)
    return name if known is None else known.title


def _points(
    name: str, rows: list[Compared], symbol: str, color: str, *, is_hollow: bool = False
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        # without any point, the legend would have no entry
        "x": [row.measured for row in rows] or [None],
        "y": [row.predicted for row in rows] or [None],
        "text": [
            _("{row}<br>{error}").format(row=row.label, error=formatting.signed_percent(row.error))
            for row in rows
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": color,
            "size": 8,
            "symbol": f"{symbol}-open" if is_hollow else symbol,
            "line": {"width": 1.5},
        },
    }


def _summary(rows: list[Compared]) -> str:
    if not rows:
        return ""
    errors = [abs(row.error) for row in rows]
    return _("{count} rows, mean error {mean}, largest error {most}").format(
        count=len(rows),
        mean=formatting.percent(sum(errors) / len(errors)),
        most=formatting.percent(max(errors)),
    )


def rows(validation: Validation) -> list[dict[str, Any]]:
    """Return a row of a table for each measured value, with its prediction and its source."""
    return [
        {
            "kind": row.kind,
            "row": row.label,
            "predicted": row.predicted,
            "measured": row.measured,
            "unit": row.unit,
            "error": row.error,
            "fitted": row.is_fitted,
            "source": row.source,
            "url": row.url,
            "date": row.date,
        }
        for row in validation.rows
    ]


def card(validation: Validation) -> Card:
    """Return a card with the mean error of each kind, a fraction of the measured value."""
    facts = [
        (formatting.percent(validation.mean_error(kind)), _(KINDS.get(kind, kind)))
        for kind in validation.kinds
    ]
    unused = sum(not row.is_fitted for row in validation.rows)
    note = _("{unused} of {count} rows were not used for fitting.").format(
        unused=unused, count=len(validation.rows)
    )
    return Card(_("Mean errors of the predictions"), facts, [note])
