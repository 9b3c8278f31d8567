"""The order of day and month in new rows, which may differ from that of the training rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench import formatting
from workbench.custom.tables.ambiguities import written
from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Format
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _, plural


@dataclass(frozen=True)
class Reading:
    """How the cells of a new column are read.

    Attributes
    ----------
    cells : Cells
        The cells.
    format : Format
        How they are read: as in training, or with day and month in the other order.
    note : str
        A sentence if the order changes or the cells do not show it, else empty.
    """

    cells: Cells
    format: Format
    note: str = ""


def reading_of(name: str, cells: Sequence[str], fitted: Format) -> Reading:
    """Return how a new column is read.

    Dates keep the order of day and month of the training rows, unless more cells are dates in the
    other order only than in this order only.

    Parameters
    ----------
    name
        The name of the column.
    cells
        The cells without surrounding spaces, [n].
    fitted
        How the cells of the training rows were read.
    """
    source = Cells(cells)
    if fitted.type != "date":
        return Reading(source, fitted)
    other = replace(fitted, day_first=not fitted.day_first)
    usual, swapped = source.read(fitted), source.read(other)
    only_usual = _only_in(usual, swapped)
    only_other = _only_in(swapped, usual)
    rows = sum(source.counts_of(only_other).values())
    if rows > sum(source.counts_of(only_usual).values()):
        example = only_other[0]
        sentence = plural(
            "{name}: {count} cell is no date in the order of day and month of the training. All "
            "dates are read with the {part} first: {cell} is read as {value}.",
            "{name}: {count} cells are no dates in the order of day and month of the training. "
            "All dates are read with the {part} first: {cell} is read as {value}.",
            rows,
        )
        note = sentence.format(
            name=name,
            count=formatting.count(rows),
            part=_("day") if other.day_first else _("month"),
            cell=quoted(example),
            value=written(swapped[example], "date"),
        )
        return Reading(source, other, note)
    open_cells = [cell for cell, value in usual.items() if _differ(value, swapped[cell])]
    if only_usual or only_other or not open_cells:
        return Reading(source, fitted)
    text = _(
        "{name}: the dates can be read in two orders. {cell} is read as {value}, with the {part} "
        "first as in training."
    )
    note = text.format(
        name=name,
        cell=quoted(open_cells[0]),
        value=written(usual[open_cells[0]], "date"),
        part=_("day") if fitted.day_first else _("month"),
    )
    return Reading(source, fitted, note)


def _only_in(values: dict[str, float], others: dict[str, float]) -> list[str]:
    """Return the cells that are dates in the first order only."""
    return [c for c, value in values.items() if not math.isnan(value) and math.isnan(others[c])]


def _differ(value: float, other: float) -> bool:
    return value != other and not math.isnan(value) and not math.isnan(other)
