"""Columns that identify rows, or hold one value: they are left out, each for its own reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from workbench import formatting
from workbench.custom.tables import unread_numbers
from workbench.custom.tables.column import Column
from workbench.i18n import _

_ID_NAME = re.compile(
    r"(?i)(?:.*[\s_.-])?(?:id|ids|uid|uuid|guid|index|idx|key|nr|no|num|number|row|#)\.?"
    r"|unnamed: \d+|编号|学号|序号|ID号"
)
_ID_SUFFIX = re.compile(r".*[a-z](?:Id|ID)|(?:Id|ID)[A-Z].*")
_TIME_NAME = re.compile(
    r"(?i)(?:.*[\s_.-])?(?:t|time|step|year|years|age|day|days|month|week|hour|minute|second"
    r"|period|date|epoch|jahr|année|año|anno|年|年份)(?:[\s_.-].*)?"
)


def with_reasons(
    columns: Sequence[Column], target: int, leave_out: Collection[str]
) -> tuple[Column, ...]:
    """Return the columns, each with the reason why it is not used, if there is one.

    Row numbers are used if no other column is left.
    """
    result = [
        column if index == target else _with_reason(column, column.name in leave_out)
        for index, column in enumerate(columns)
    ]
    if any(not c.reason for index, c in enumerate(result) if index != target):
        return tuple(result)
    return tuple(
        before if is_row_number(before) and before.name not in leave_out else after
        for before, after in zip(columns, result, strict=True)
    )


def _with_reason(column: Column, chosen: bool) -> Column:
    """Return a column with the reason why it is not used."""
    identifies = is_row_number(column) or is_identifier(column)
    reason = _("left out by choice") if chosen else column.reason or _reason(column)
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
        share = column.distinct / max(1, int(column.present.sum()))
        return _("it identifies rows: {share} of its values differ").format(
            share=formatting.percent(share, 0)
        )
    if column.distinct == 1 and bool(column.present.all()):
        return _("every cell has the same value")
    return ""


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
    numbers = column.numbers
    if column.type != "number" or numbers is None:
        return False
    if not (_ID_NAME.fullmatch(column.name) or _ID_SUFFIX.fullmatch(column.name)):
        return False
    present = numbers[column.present]
    return bool((present == present.round()).all()) and len(np.unique(present)) == len(present) > 1
