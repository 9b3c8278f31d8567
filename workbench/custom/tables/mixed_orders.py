"""Dates of a column that have day and month in two orders."""

from __future__ import annotations

from dataclasses import replace

from workbench.custom.tables.cells import Cells, only_in
from workbench.custom.tables.column import Format
from workbench.custom.tables.column_types import MIN_UNDERSTOOD
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _


def reason(cells: Cells, format: Format) -> str:
    """Return why the dates are not used if many fit only the other order; else "".

    In that case, dates that fit both orders would be ambiguous.
    """
    other = replace(format, day_first=not format.day_first)
    if format.type != "date" or cells.simple is not None:
        return ""
    usual, swapped = cells.read(format), cells.read(other)
    odd = only_in(swapped, usual)
    rows = sum(map(cells.counts.__getitem__, odd))
    if rows <= (1 - MIN_UNDERSTOOD) * sum(map(cells.counts.__getitem__, usual)):
        return ""
    sure = only_in(usual, swapped) or [cell for cell in usual if cell not in odd]
    return _(
        "its dates have day and month in different orders, such as {one} and {other}: write all "
        "in one order"
    ).format(one=quoted(sure[0]), other=quoted(odd[0]))
