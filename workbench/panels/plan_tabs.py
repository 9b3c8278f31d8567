"""The contents of the tabs of the page Plan."""

from __future__ import annotations

from typing import Any

from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels.buttons import choice
from workbench.panels.views.plan_numbers import duration
from workbench.panels.views.planning import chip_rows, nearest_rows
from workbench.plots import plan, plan_validation
from workbench.plots.palette import Palette
from workbench.session import Session

COMPARED = ("step time", "peak memory", "energy", "time per token", "energy per token")
"""The kinds of rows that buttons show; the others are in the file."""


def memory_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the memory of the plan as stacked bars against the chip's capacity."""
    try:
        return {"figure": plan.draw(session.focus.plan.plan(), palette)}
    except WorkbenchError as error:
        return {"note": str(error)}


def chips_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the plan on every chip as a table."""
    selection = session.focus.plan
    selected = selection.chip_of(selection.chip)
    rows = [
        {
            "key": None,
            "selected": other.chip == selected,
            "cells": [
                row["chip"],
                row["fits"],
                f"{row['memory_gib']:,.1f}",
                f"{row['usable_gib']:,.0f}",
                duration(row["milliseconds"]),
                f"{row['tokens_per_s']:,}",
                _("yes") if row["calibrated"] else _("no"),
            ],
        }
        for row, other in zip(chip_rows(selection), selection.others(), strict=True)
    ]
    time = _("per token") if selection.mode == "infer" else _("per step")
    head = [_("chip"), _("memory"), _("GiB"), _("of GiB"), time, _("tokens/s"), _("calibrated")]
    return _table(head, rows, "plan_chips_csv", _("No chip can run this."))


def rows_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the measured rows from which the interval comes."""
    try:
        nearest = nearest_rows(session.focus.plan)
    except WorkbenchError as error:
        return {"note": str(error)}
    rows = [
        {
            "key": None,
            "selected": False,
            "cells": [
                row["row"],
                ", ".join(
                    duration(row[n]) for n in ("step_ms", "prefill_ms", "decode_ms") if row[n]
                ),
                {"text": row["source"], "url": row["url"]},
                row["date"],
            ],
        }
        for row in nearest
    ]
    head = [_("measured row"), _("time"), _("source"), _("date")]
    return _table(head, rows, "plan_rows_csv", "")


def compared_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return predictions against measured values, of one kind."""
    from workbench.planner.validation import plan_validation as validation

    kind = session.focus.plan.compared
    labels = [(name, _(plan_validation.KINDS[name])) for name in COMPARED]
    return {
        "controls": [choice("compared", _("compared"), kind, labels)],
        "figure": plan_validation.draw(validation(), palette, kind=kind),
        "foot": _(
            "Each point is a measured row, predicted by the code that makes the plan. Hollow "
            "points were never used for fitting. On the line, both are equal."
        ),
    }


def _table(head: list[str], rows: list[dict[str, Any]], action: str, empty: str) -> dict[str, Any]:
    return {
        "table": {
            "head": head,
            "rows": rows,
            "empty": empty,
            "button": {"act": action, "text": _("save the table as CSV")},
        }
    }
