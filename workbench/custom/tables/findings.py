"""Sentences about a table, the most important first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from workbench import formatting
from workbench.custom.tables import numbers
from workbench.custom.tables.booleans import several_spellings
from workbench.custom.tables.column import Column, Table
from workbench.custom.tables.far_values import fractions_as_percent, outliers
from workbench.custom.tables.inspection import TargetReport
from workbench.custom.uploads.limits import MIN_PER_CLASS
from workbench.custom.uploads.splits import quoted
from workbench.evaluation.outliers import about_dominant, dominant
from workbench.i18n import _, plural

MAJORITY = 0.8
"""The share of the most frequent class from which it is mentioned."""
SENTINELS = (-99999, -9999, -999, -99, 999, 9999, 99999, 999999)
"""Numbers that are often written for a missing value."""
MIN_SENTINEL = 0.01
SAMPLE = 1000
"""Cells that show whether numbers have units."""
_OF_NUMBERS = str.maketrans("", "", "0123456789.,+-eE")
MAX_NAMES = 3
"""Names that a sentence lists."""


def findings(table: Table, report: TargetReport, leaks: Sequence[str]) -> Iterator[str]:
    """Yield what a user should know before training.

    `leaks` are the names of the columns that alone predict the target.
    """
    goal = table.columns[table.target]
    for name in leaks:
        yield _("{column} alone predicts {target}: leave it out?").format(
            column=quoted(name), target=quoted(goal.name)
        )
    if report.rare:
        yield _rare(report)
    yield from _missing_target(goal)
    yield from _far_targets(table, report)
    for column in (goal, *table.features):
        if column.unreadable and not column.reason:
            yield _unreadable(column)
    if not report.as_number:
        yield from _majority(report)
    for column in table.columns:
        if not column.reason:
            yield from column.warnings
            yield from fractions_as_percent(column, table.lines)
            yield from _currencies(column)
            yield from several_spellings(column)
    yield from _missing_marks([column for column in table.columns if not column.reason])
    if not table.header_is_sure:
        yield (
            _("The first line is read as names of the columns; it may be data.")
            if table.header
            else _("The first line is read as data; it may hold the names of the columns.")
        )
    yield from table.warnings


def _rare(report: TargetReport) -> str:
    names = ", ".join(quoted(name) for name in report.rare[:MAX_NAMES])
    if len(report.rare) > MAX_NAMES:
        names = _("{names} and {count} more").format(
            names=names, count=len(report.rare) - MAX_NAMES
        )
    sentence = plural(
        "The class {names} has fewer than {least} rows: leave out its rows, or add more.",
        "The classes {names} have fewer than {least} rows: leave out their rows, or add more.",
        len(report.rare),
    )
    return sentence.format(names=names, least=MIN_PER_CLASS)


def _missing_target(goal: Column) -> Iterator[str]:
    count = int((~goal.present).sum())
    if count:
        sentence = plural(
            "{count} row without a value of {target} is left out.",
            "{count} rows without a value of {target} are left out.",
            count,
        )
        yield sentence.format(count=formatting.count(count), target=quoted(goal.name))


def _far_targets(table: Table, report: TargetReport) -> Iterator[str]:
    """Yield a sentence if a few numbers to predict are far away, or one outweighs all others."""
    goal = table.columns[table.target]
    if not report.as_number or goal.numbers is None:
        return
    sentences = [*outliers(goal, table.lines)]
    rows = np.flatnonzero(goal.present)
    index = dominant(goal.numbers[rows])
    if index is not None and not sentences:
        row = rows[index]
        sentence = about_dominant(float(goal.numbers[row]), int(table.lines[row]))
        sentences.append(f"{quoted(goal.name)}: {sentence}")
    yield from sentences


def _unreadable(column: Column) -> str:
    total = len(column.cells) - column.missing
    kind = _("dates") if column.type == "date" else _("numbers")
    cells = ", ".join(
        _("{cell} (line {line})").format(cell=quoted(cell.text), line=formatting.count(cell.line))
        for cell in column.examples
    )
    sentence = plural(
        "{column}: {good} of {total} cells are {kind}; {cells} is taken as missing.",
        "{column}: {good} of {total} cells are {kind}; the others are taken as missing: {cells}.",
        column.unreadable,
    )
    return sentence.format(
        column=quoted(column.name),
        good=formatting.count(total - column.unreadable),
        total=formatting.count(total),
        kind=kind,
        cells=cells,
    )


def _currencies(column: Column) -> Iterator[str]:
    """Yield a sentence if the amounts of a column are in several currencies."""
    if column.type != "number" or not "".join(column.cells[:SAMPLE]).translate(_OF_NUMBERS):
        return
    cells = numbers.currencies([*dict.fromkeys(column.cells)])
    if len(cells) > 1:
        yield _(
            "{column}: amounts in different currencies are read as numbers of one, such as "
            "{cells}: convert them to one currency."
        ).format(
            column=quoted(column.name),
            cells=formatting.names([*map(quoted, cells.values())], MAX_NAMES),
        )


def _missing_marks(columns: Sequence[Column]) -> Iterator[str]:
    """Yield a sentence for each number that may stand for a missing value, with its columns."""
    by_number: dict[float, list[str]] = {}
    cells: Counter[float] = Counter()
    for column in columns:
        for number, count in _suspects(column):
            by_number.setdefault(number, []).append(column.name)
            cells[number] += count
    for number, names in by_number.items():
        yield _(
            "{columns}: {number} occurs {count} times, unlike all other values: if it stands "
            "for a missing value, leave these cells empty."
        ).format(
            columns=quoted(names[0]) if len(names) == 1 else formatting.names(names, MAX_NAMES),
            number=f"{number:g}",
            count=formatting.count(cells[number]),
        )


def _suspects(column: Column) -> Iterator[tuple[float, int]]:
    """Yield frequent numbers far from all others, or the only negative one, with their counts."""
    if column.type != "number" or column.numbers is None:
        return
    values = column.numbers[column.present]
    if not len(values):
        return
    for number in {*SENTINELS, float(values.min())}:
        count = int((values == number).sum())
        others = values[values != number]
        if count < 2 or count < MIN_SENTINEL * len(values) or not len(others):
            continue
        low, high = float(others.min()), float(others.max())
        is_far = not low - 2 * (high - low) < number < high + 2 * (high - low)
        is_only_negative = number < 0 <= low and len(set(others[:100])) > 2
        if (is_far and number in SENTINELS) or is_only_negative:
            yield number, count


def _majority(report: TargetReport) -> Iterator[str]:
    name, count = next(iter(report.classes.items()))
    share = count / sum(report.classes.values())
    if share >= MAJORITY:
        yield _(
            "{share} of the rows have {target} = {name}: an accuracy of that size is reached by "
            "always predicting {name}."
        ).format(share=formatting.percent(share), target=quoted(report.name), name=quoted(name))
