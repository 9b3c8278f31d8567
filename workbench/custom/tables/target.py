"""The column to predict: as classes or as a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Column, Format, Table
from workbench.custom.tables.inspection import Choices, TargetReport
from workbench.custom.tables.missing import class_words
from workbench.custom.tables.parse import parse
from workbench.custom.uploads.limits import MAX_CLASSES, MIN_PER_CLASS
from workbench.custom.uploads.splits import quoted
from workbench.errors import InputError
from workbench.i18n import _

MIN_CLASS = 0.02
"""The share of cells "None" that make it a class."""
FEW_CLASSES = 5
"""Integers with at most this many different values are classes, also rare ones."""
MAX_INTEGER_CLASSES = 20
"""Integers with at most this many different values are classes by default."""


def can_be_number(column: Column) -> bool:
    """Whether the column holds numbers with at least two values."""
    return column.type == "number" and column.distinct > 1


def can_be_classes(column: Column) -> bool:
    """Whether the column has between two and `MAX_CLASSES` different values."""
    if column.codes is None and column.type != "number":
        return False
    return 2 <= column.distinct <= MAX_CLASSES


def is_number(column: Column) -> bool:
    """Whether the column is predicted as a number by default.

    Integers with few values are classes; with more than `FEW_CLASSES`, only if each has enough rows
    for all splits.
    """
    if not can_be_number(column):
        return False
    if not can_be_classes(column) or column.numbers is None:
        return True
    values, counts = np.unique(column.numbers[column.present], return_counts=True)
    if (values != values.round()).any() or len(values) > MAX_INTEGER_CLASSES:
        return True
    return bool(len(values) > FEW_CLASSES and counts.min() < MIN_PER_CLASS)


def classes_of(column: Column) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the class of each row, −1 where it is missing, and the names of the classes.

    Numbers are in ascending order, words in alphabetical order.
    """
    if column.codes is not None:
        return column.codes.astype(np.int64), column.words
    assert column.numbers is not None, "texts are no classes"
    values, labels = np.unique(column.numbers[column.present], return_inverse=True)
    codes = np.full(len(column.numbers), -1, np.int64)
    codes[column.present] = labels
    return codes, tuple(_name(value) for value in values)


def default_target(columns: Sequence[Column], lines: NDArray[np.int64]) -> int:
    """Return the index of the last column that can be predicted, or of the last one."""
    for index in reversed(range(len(columns))):
        column = as_target(columns[index], lines)
        if can_be_number(column) or can_be_classes(column):
            return index
    return len(columns) - 1


def as_target(column: Column, lines: NDArray[np.int64]) -> Column:
    """Return a column in which frequent cells such as "None" are a class, not missing values."""
    if column.codes is None or column.type == "empty":
        return column
    empty = np.flatnonzero(~column.present).tolist()
    named = class_words(column.words)
    count = sum(column.cells[row].lower() in named for row in empty)
    if count < MIN_CLASS * len(lines):
        return column
    cells = Cells(column.cells, named)
    result = parse(column.name, cells, lines, Format("category"))
    return replace(result, warnings=column.warnings)


def report_of(column: Column, choices: Choices) -> TargetReport:
    """Return how the target is predicted.

    Raises
    ------
    InputError
        If it has one value, or cannot be what was chosen.
    """
    number, classes = can_be_number(column), can_be_classes(column)
    _check(column, choices.as_number, number, classes)
    as_number = is_number(column) if choices.as_number is None else choices.as_number
    counts: dict[str, int] = {}
    if not as_number:
        labels, names = classes_of(column)
        sizes = np.bincount(labels[labels >= 0], minlength=len(names))
        order = np.argsort(-sizes, kind="stable")
        counts = {names[index]: int(sizes[index]) for index in order}
    rare = tuple(name for name, count in counts.items() if count < MIN_PER_CLASS)
    return TargetReport(column.name, as_number, number, classes, counts, rare)


def rows_used(table: Table, choices: Choices) -> NDArray[np.bool_]:
    """Return which rows are used for learning: those with a target, [n].

    If the choices say so, rows that miss a value of a column that is used, and rows of rare
    classes, are left out too.
    """
    goal = table.columns[table.target]
    report = report_of(goal, choices)
    used = goal.present.copy()
    if choices.missing == "leave_out":
        for column in table.features:
            if not column.reason:
                used &= column.present
    if report.rare and choices.leave_out_rare:
        labels, names = classes_of(goal)
        used &= ~np.isin(labels, [names.index(name) for name in report.rare])
    return used


def _check(column: Column, as_number: bool | None, number: bool, classes: bool) -> None:
    if column.distinct == 0:
        raise InputError(
            _("{target} has no value in any row: there is nothing to predict.").format(
                target=quoted(column.name)
            ),
            code="upload.constant_target",
        )
    if column.distinct < 2:
        raise InputError(
            _("{target} has the same value in every row: there is nothing to predict.").format(
                target=quoted(column.name)
            ),
            code="upload.constant_target",
        )
    if as_number and not number:
        raise InputError(
            _("{target} does not hold numbers: predict it as classes.").format(
                target=quoted(column.name)
            ),
            code="upload.no_number",
        )
    if not classes and not (number and as_number is not False):
        raise InputError(
            _(
                "{target} has {found} different values: choose a column of numbers, or of at most "
                "{most} classes."
            ).format(
                target=quoted(column.name),
                found=formatting.count(column.distinct),
                most=MAX_CLASSES,
            ),
            code="upload.too_many_classes",
        )


def _name(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
