"""The order of day and month in new rows, which may differ from that of the training rows."""

from __future__ import annotations

import math
from dataclasses import replace

from workbench import formatting
from workbench.custom.prediction.reading import Reading
from workbench.custom.tables.ambiguities import written
from workbench.custom.tables.cells import Cells, only_in
from workbench.custom.tables.column import Format
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _, plural


def in_order(name: str, source: Cells, fitted: Format) -> Reading:
    """Return how a new column of dates, `name` with the cells `source`, is read.

    They keep the order of day and month of the training rows, which were read as `fitted`, unless
    more cells are dates in the other order only than in this order only.
    """
    other = replace(fitted, day_first=not fitted.day_first)
    usual, swapped = source.read(fitted), source.read(other)
    only_usual = only_in(usual, swapped)
    only_other = only_in(swapped, usual)
    rows = sum(source.counts_of(only_other).values())
    if rows > sum(source.counts_of(only_usual).values()):
        example = only_other[0]
        sentence = plural(
            "{name}: {count} cell is not a date in the order of day and month used in training. "
            "All dates are read with the {part} first: {cell} is read as {value}.",
            "{name}: {count} cells are not dates in the order of day and month used in training. "
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


def _differ(value: float, other: float) -> bool:
    return value != other and not math.isnan(value) and not math.isnan(other)
