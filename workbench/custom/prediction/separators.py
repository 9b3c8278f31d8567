"""The separators of numbers in new rows, which may differ from those of the training rows."""

from __future__ import annotations

from dataclasses import replace

from workbench import formatting
from workbench.custom.prediction.reading import Reading
from workbench.custom.tables import numbers
from workbench.custom.tables.ambiguities import written
from workbench.custom.tables.cells import Cells, only_in
from workbench.custom.tables.column import Format
from workbench.custom.uploads.splits import quoted
from workbench.i18n import plural


def with_separators(name: str, source: Cells, fitted: Format, delimiter: str) -> Reading:
    """Return how a new column of numbers is read.

    They keep the separators of the training rows, unless more cells are numbers with those that
    fit the new column best only than with these only.

    Parameters
    ----------
    name
        The name of the column.
    source
        Its cells.
    fitted
        How the cells of the training rows were read.
    delimiter
        The delimiter of the new file.
    """
    best = numbers.guess(source.counts_of(source.values), delimiter).format
    other = replace(fitted, decimal=best.decimal, thousands=best.thousands)
    usual, changed = source.read(fitted), source.read(other)
    only_other = only_in(changed, usual)
    rows = sum(source.counts_of(only_other).values())
    if rows <= sum(source.counts_of(only_in(usual, changed)).values()):
        return Reading(source, fitted)
    sentence = plural(
        "{name}: {count} cell is not a number with the separators used in training. All numbers "
        "are read with the decimal separator {decimal}: {cell} is read as {value}.",
        "{name}: {count} cells are not numbers with the separators used in training. All numbers "
        "are read with the decimal separator {decimal}: {cell} is read as {value}.",
        rows,
    )
    note = sentence.format(
        name=name,
        count=formatting.count(rows),
        decimal=quoted(other.decimal),
        cell=quoted(only_other[0]),
        value=written(changed[only_other[0]], "number"),
    )
    return Reading(source, other, note)
