"""The cells of new rows from a file, a frame, dicts or texts, with names that a model knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.cancel import CancelToken
from workbench.custom.tables.read import read_cells, with_header
from workbench.custom.tables.text_table import TextTable
from workbench.errors import InputError
from workbench.i18n import _


def new_cells(
    source: Any, known: Sequence[str], target: str, cancel: CancelToken, encoding: str | None = None
) -> TextTable:
    """Return the cells of new rows by column.

    Parameters
    ----------
    source
        The path or the bytes of a table, a pandas DataFrame, a mapping from names to columns, a
        list of mappings, or a list of texts if the model knows a single column.
    known
        The names of the columns that the model learned from.
    target
        The name of the column that it predicts, which the rows may have too.
    cancel
        Checked while reading.
    encoding
        The encoding of a file; by default it is found.

    Raises
    ------
    InputError
        If there are no rows, or they are of another kind.
    """
    source = _as_mapping(source, known)
    if isinstance(source, Mapping) and not any(map(len, source.values())):
        raise InputError(_("There are no rows to predict."), code="predict.no_rows")
    table = _with_names(read_cells(source, cancel, encoding), {*known, target})
    if not len(table):
        raise InputError(_("There are no rows to predict."), code="predict.no_rows")
    return table


def _as_mapping(source: Any, known: Sequence[str]) -> Any:
    """Return lists of texts or of mappings as a mapping from names to columns."""
    if isinstance(source, Mapping):
        if all(
            isinstance(cells, str) or not hasattr(cells, "__len__") for cells in source.values()
        ):
            return {str(name): [cell] for name, cell in source.items()}  # a single row
        return source
    if isinstance(source, str | bytes | Path) or not isinstance(source, Sequence):
        return source
    if all(isinstance(row, Mapping) for row in source):
        names = dict.fromkeys(str(name) for row in source for name in row)
        rows = [{str(name): cell for name, cell in row.items()} for row in source]
        return {name: [row.get(name) for row in rows] for name in names}
    if all(isinstance(text, str) for text in source):
        if len(known) != 1:
            raise InputError(
                _(
                    "The model needs more than a text: provide rows with the columns {names}."
                ).format(names=", ".join(known[:20])),
                code="predict.not_only_text",
            )
        return {known[0]: list(source)}
    raise InputError(
        _("Pass rows as a path, a frame, a list of dicts or a list of texts."),
        code="predict.invalid_rows",
    )


def _with_names(table: TextTable, known: Collection[str]) -> TextTable:
    """Return the table with its first line as names if the model knows one, else as data."""
    if table.first is None or not {*table.names}.isdisjoint(known):
        return replace(table, first=None)
    numbered = with_header(table, False)
    if {*numbered[0]}.isdisjoint(known):
        return replace(table, first=None)
    names, columns, lines = numbered
    return replace(table, first=None, names=names, columns=columns, lines=lines)
