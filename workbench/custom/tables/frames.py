"""Tables from pandas and from mappings, as text like that of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from workbench import formatting
from workbench.custom.tables import header
from workbench.custom.tables.text_table import TextTable
from workbench.custom.uploads.limits import TABLE_COLUMNS, TABLE_ROWS
from workbench.errors import InputError
from workbench.i18n import _


def from_frame(frame: Any) -> TextTable:
    """Return the cells of a pandas DataFrame, or of a mapping from names to columns, as text.

    Row n is in "line" n + 2, as it would be in a file with a header.

    Raises
    ------
    InputError
        When it is neither, has too many rows or columns, or columns differ in length.
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
    return TextTable(
        None,
        header.unique_names(names),
        tuple([_text(value) for value in _objects(column)] for column in values),
        np.arange(2, rows + 2),
        encoding="",
        delimiter="",
    )


def _series(frame: Any) -> list[Any]:
    return [frame.iloc[:, index] for index in range(len(frame.columns))]


def _objects(column: Any) -> Sequence[Any]:
    """Return the values of a column as Python objects."""
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _text(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - any library's missing value
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
