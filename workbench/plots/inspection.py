"""What is found in a table, by column: cells with a value, missing and not understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.custom.tables.as_text import class_counts
from workbench.display import Card
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import percent_ticks

if TYPE_CHECKING:
    from workbench.custom.tables.inspection import Inspection

MAX_BARS = 40
"""How many columns are drawn, those with the most missing cells."""


def draw(result: Inspection, palette: Palette = LIGHT) -> Figure:
    """Draw the share of cells of each column that have no value."""
    worst = sorted(result.columns, key=lambda c: c.missing + c.unreadable, reverse=True)
    shown = worst[:MAX_BARS]
    rows = max(1, result.rows_read)
    parts = (
        (_("missing"), [column.missing for column in shown], palette.categories[0]),
        (_("no number or date"), [column.unreadable for column in shown], palette.categories[1]),
    )
    most = max((c.missing + c.unreadable for c in shown), default=0) / rows
    return {
        "data": [
            {
                "type": "bar",
                "name": label,
                "x": [column.name for column in shown],
                "y": [count / rows for count in counts],
                "customdata": [formatting.count(count) for count in counts],
                "hovertemplate": "%{x}<br>%{customdata}<extra>" + label + "</extra>",
                "marker": {"color": color},
            }
            for label, counts, color in parts
        ],
        "layout": layout(
            palette,
            _("Cells without a value"),
            barmode="stack",
            showlegend=True,
            legend=legend(),
            xaxis=axis(palette, "", type="category", showgrid=False, automargin=True),
            yaxis=axis(palette, _("share of the rows"), **percent_ticks(0, most)),
        ),
    }


def rows(result: Inspection) -> list[dict[str, Any]]:
    """Return one row for each column."""
    return [
        {
            "column": column.name,
            "type": column.type,
            "distinct": column.distinct,
            "missing": column.missing,
            "unreadable": column.unreadable,
            "used": column.used,
            "note": column.note,
        }
        for column in result.columns
    ]


def card(result: Inspection) -> Card:
    """Return the card of an inspection."""
    used = [column for column in result.columns if column.used]
    facts = [
        (formatting.count(result.rows_used), _("rows used")),
        (formatting.count(len(used)), _("columns used")),
        (
            _("a number") if result.target.as_number else class_counts(result.target.__dict__),
            _("in {name}").format(name=result.target.name),
        ),
    ]
    notes = [
        _("{column} is not used: {reason}").format(column=column.name, reason=column.note)
        for column in result.columns
        if not column.used
    ]
    return Card(_("Table"), facts, [*result.warnings, *notes])
