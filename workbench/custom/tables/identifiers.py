"""Columns that identify rows, or hold one value: they are left out, each for its own reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from workbench import formatting
from workbench.custom.tables import unread_numbers
from workbench.custom.tables.column import Column
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _

_ID_NAME = re.compile(
    r"(?i)(?:.*[\s_.-])?(?:id|ids|uid|uuid|guid|index|idx|key|nr|no|num|number|row|#)\.?"
    r"|unnamed: \d+|编号|学号|序号|ID号"
)
_DIGIT = re.compile(r"\d")
MIN_DIGITS = 0.95
"""The share of cells with digits in a column that may hold numbers or dates."""
_ID_SUFFIX = re.compile(r".*[a-z](?:Id|ID)|(?:Id|ID)[A-Z].*")
_TIME_NAME = re.compile(
    r"(?i)(?:.*[\s_.-])?(?:t|time|step|year|years|age|day|days|month|week|hour|minute|second"
    r"|period|date|epoch|jahr|année|año|anno|年|年份)(?:[\s_.-].*)?"
)


def with_reasons(
    columns: Sequence[Column],
    target: int,
    leave_out: Collection[str],
    has_unnamed_index: bool = False,
) -> tuple[Column, ...]:
    """Return the columns, each with the reason why it is not used, if there is one.

    Row numbers are used if no other column is left. With `has_unnamed_index`, whole numbers of the
    first column that all differ are row numbers, in any order.
    """
    result = [
        column
        if index == target
        else _with_reason(
            column, column.name in leave_out, is_index=has_unnamed_index and index == 0
        )
        for index, column in enumerate(columns)
    ]
    if any(not c.reason for index, c in enumerate(result) if index != target):
        return tuple(result)
    return tuple(
        before if is_row_number(before) and before.name not in leave_out else after
        for before, after in zip(columns, result, strict=True)
    )


def _with_reason(column: Column, chosen: bool, *, is_index: bool) -> Column:
    """Return a column with the reason why it is not used."""
    is_index = is_index and _are_different_integers(column)
    identifies = is_index or is_row_number(column) or is_identifier(column)
    reason = column.reason or _reason(column)
    if is_index and not reason:
        reason = _("it has no name, and its numbers all differ: they number the rows")
    if chosen:
        reason = _("left out by choice")
    kind = "identifier" if identifies else column.type
    return replace(column, reason=reason, format=replace(column.format, type=kind))


def _reason(column: Column) -> str:
    if column.type == "empty":
        return _("every cell is empty")
    if is_row_number(column):
        return _("its numbers count the rows")
    if column.type == "identifier" and (unread := unread_numbers.reason(column.cells)):
        return unread
    if is_identifier(column) or column.type == "identifier":
        return _identifies(column)
    if column.distinct == 1 and bool(column.present.all()):
        return _("every cell has the same value")
    return ""


def _identifies(column: Column) -> str:
    share = column.distinct / max(1, int(column.present.sum()))
    reason = _("it identifies rows: {share} of its values differ").format(
        share=formatting.percent(share, 0)
    )
    example = "" if column.numbers is not None else _unknown_spelling(column)
    if not example:
        return reason
    return _("{reason}, and {cell} is not read as a number or a date").format(
        reason=reason, cell=quoted(example)
    )


def _unknown_spelling(column: Column) -> str:
    """Return the first cell if almost all hold digits and more: they may be numbers or dates."""
    present = [c for c, is_present in zip(column.cells, column.present, strict=True) if is_present]
    may_be = sum(not cell.isdigit() and _DIGIT.search(cell) is not None for cell in present)
    return present[0] if may_be >= MIN_DIGITS * len(present) else ""


def is_row_number(column: Column) -> bool:
    """Whether numbers count the rows: each is one more than the number before.

    Columns whose names say that they are times or ages are not row numbers.
    """
    numbers = column.numbers
    if column.type != "number" or numbers is None or not column.present.all():
        return False
    if column.format.unit or numbers[0] != numbers[0].round():
        return False
    if _TIME_NAME.fullmatch(column.name) or len(numbers) < 2:
        return False
    return bool((np.diff(numbers) == 1).all())


def is_identifier(column: Column) -> bool:
    """Whether whole numbers that all differ identify rows, as their name says."""
    if not (_ID_NAME.fullmatch(column.name) or _ID_SUFFIX.fullmatch(column.name)):
        return False
    return _are_different_integers(column)


def _are_different_integers(column: Column) -> bool:
    if column.type != "number" or column.numbers is None:
        return False
    present = column.numbers[column.present]
    return bool((present == present.round()).all()) and len(np.unique(present)) == len(present) > 1
