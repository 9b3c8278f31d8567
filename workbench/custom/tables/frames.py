"""Tables from pandas and from mappings, as text like that of a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from workbench import formatting
from workbench.custom.tables import header
from workbench.custom.tables.text_table import TextTable
from workbench.custom.uploads.limits import TABLE_COLUMNS, TABLE_ROWS
from workbench.errors import InputError
from workbench.i18n import _

MISSING_TYPES = frozenset({"NAType", "NaTType"})
"""The types of missing values in pandas, which need not be installed."""
NUMBERS = (float, np.floating, Decimal, timedelta)


def from_frame(frame: Any) -> TextTable:
    """Return the cells of a pandas DataFrame, or of a mapping from names to columns, as text.

    Row n is in "line" n + 2, as it would be in a file with a header.

    Raises
    ------
    InputError
        If it is neither, has too many rows or columns, or columns differ in length.
    """
    if not isinstance(frame, Mapping) and not hasattr(frame, "columns"):
        raise InputError(
            _(
                "A table is a path, the bytes of a file, a pandas DataFrame or a mapping from "
                "names to columns, not {type}."
            ).format(type=type(frame).__name__),
            code="table.invalid_source",
        )
    names = [str(name) for name in (frame if isinstance(frame, Mapping) else frame.columns)]
    if not 1 <= len(names) <= TABLE_COLUMNS:
        raise InputError(
            _("The table has {found} columns: between 1 and {most} are possible.").format(
                found=formatting.count(len(names)), most=formatting.count(TABLE_COLUMNS)
            ),
            code="upload.too_many_columns" if names else "upload.empty",
        )
    values = [frame[name] for name in frame] if isinstance(frame, Mapping) else _series(frame)
    rows = len(values[0])
    if any(len(column) != rows for column in values):
        raise InputError(_("The columns of the table differ in length."), code="upload.row_length")
    if rows > TABLE_ROWS:
        raise InputError(
            _("The table has more than {count} rows: keep fewer.").format(
                count=formatting.count(TABLE_ROWS)
            ),
            code="upload.too_many_rows",
        )
    columns = [_objects(column) for column in values]
    return TextTable(
        None,
        header.unique_names(names),
        tuple([_text(value) for value in column] for column in columns),
        np.arange(2, rows + 2),
        encoding="",
        delimiter="",
        numeric=frozenset(index for index, column in enumerate(columns) if _is_numeric(column)),
    )


def _series(frame: Any) -> list[Any]:
    if hasattr(frame, "iloc"):  # names may repeat
        return [frame.iloc[:, index] for index in range(len(frame.columns))]
    return [frame[name] for name in frame.columns]


def _objects(column: Any) -> Sequence[Any]:
    """Return the values of a column as Python objects."""
    for method in ("tolist", "to_list"):
        if hasattr(column, method):
            values: Sequence[Any] = getattr(column, method)()
            return values
    return list(column)


def _is_numeric(column: Sequence[Any]) -> bool:
    """Whether some value is a number that may have decimals."""
    types = {type(value) for value in column if not _is_missing(value)}
    return any(issubclass(kind, NUMBERS) for kind in types)


def _text(value: Any) -> str:
    """Return a value as the cell of a file."""
    if _is_missing(value):
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in MISSING_TYPES
