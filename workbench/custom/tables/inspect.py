"""What a table holds and how it will be used, before training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.arguments import expect_running
from workbench.cancel import NEVER, CancelToken
from workbench.custom.tables.column import Column, Table
from workbench.custom.tables.findings import findings
from workbench.custom.tables.inspection import Choices, ColumnReport, Inspection
from workbench.custom.tables.leaks import leaks
from workbench.custom.tables.read import read
from workbench.custom.tables.target import report_of, rows_used
from workbench.i18n import _


def inspect_table(
    source: Any,
    target: str | None = None,
    as_number: bool | None = None,
    leave_out: Iterable[str] = (),
    header: bool | None = None,
    missing: str = "impute",
    leave_out_rare: bool = False,
    encoding: str | None = None,
    cancel: CancelToken = NEVER,
) -> Inspection:
    """Return what a table holds and how it will be used for training.

    Parameters
    ----------
    source, target, as_number, leave_out, header, missing, leave_out_rare, encoding
        As for `wb.from_table`.
    cancel
        Checked while reading.

    Raises
    ------
    InputError
        If the table cannot be read, is too small or too large, is not in the encoding, or a
        choice is unknown.
    UnknownNameError
        If it has no column of a chosen name.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> table = {"size": [30, 50, 80] * 20, "city": ["Rome", "Oslo", "rome"] * 20}
    >>> wb.inspect_table(table, target="city").target.classes
    {'Rome': 40, 'Oslo': 20}
    """
    expect_running(cancel)
    names = (leave_out,) if isinstance(leave_out, str) else tuple(leave_out)
    choices = Choices(target, as_number, names, header, missing, leave_out_rare, encoding)
    return inspection_of(read(source, choices, cancel), choices)


def inspection_of(table: Table, choices: Choices) -> Inspection:
    """Return what a table that was read holds, and how it will be used."""
    goal = table.columns[table.target]
    report = report_of(goal, choices)
    telling = leaks(table.features, goal, as_number=report.as_number)
    return Inspection(
        rows_read=len(table),
        rows_used=int(rows_used(table, choices).sum()),
        encoding=table.encoding,
        delimiter=table.delimiter,
        header=table.header,
        header_is_sure=table.header_is_sure,
        columns=tuple(_column_report(column) for column in table.features),
        target=report,
        warnings=tuple(findings(table, report, telling)),
        leaks=telling,
    )


def _column_report(column: Column) -> ColumnReport:
    return ColumnReport(
        name=column.name,
        type=column.type,
        distinct=column.distinct,
        missing=column.missing,
        unreadable=column.unreadable,
        examples=column.examples,
        used=not column.reason,
        note=column.reason or _note(column),
    )


def _note(column: Column) -> str:
    """Return what happens to the missing values of a column that is used."""
    if bool(column.present.all()):
        return ""
    if column.type in {"category", "constant"}:
        return _("a missing value is a value of its own")
    if column.type == "text":
        return _("a missing text has no words")
    if column.is_mostly_empty:
        return _("mostly empty: only whether it has a value is used")
    return _("missing values are replaced by a typical one and marked")
