"""Read a table: from bytes or a frame to columns with types and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.cancel import NEVER, CancelToken
from workbench.custom.tables import column_types, header, mixed_orders
from workbench.custom.tables.ambiguities import ambiguities, merged_spellings
from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Column, Table
from workbench.custom.tables.column_types import Guess
from workbench.custom.tables.frames import from_frame
from workbench.custom.tables.identifiers import with_reasons
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.parse import parse
from workbench.custom.tables.target import as_target, default_target, report_of
from workbench.custom.tables.text_rows import read_text
from workbench.custom.tables.text_table import TextTable
from workbench.custom.uploads.limits import MIN_ROWS, TABLE_BYTES
from workbench.custom.uploads.splits import quoted
from workbench.errors import InputError, UnknownNameError, file_errors
from workbench.i18n import _, plural

DEFAULT = Choices()


def read(source: Any, choices: Choices = DEFAULT, cancel: CancelToken = NEVER) -> Table:
    """Return a table with the types and values of its columns.

    Parameters
    ----------
    source
        The bytes of a file, its path, a pandas DataFrame, a mapping from names to columns, or the
        `TextTable` that `read_cells` returned.
    choices
        What the user chose; `target`, `header`, `leave_out` and `encoding` matter here.
    cancel
        Checked while reading.

    Raises
    ------
    InputError
        If the table cannot be read, or is too small or too large.
    UnknownNameError
        If it has no column of a chosen name.
    Cancelled
        If `cancel` is cancelled.
    """
    text = read_cells(source, cancel, choices.encoding)
    names, columns, lines = with_header(text, choices.header)
    _check_size(names, lines)
    chosen = () if choices.target is None else (choices.target,)
    for name in (*chosen, *choices.leave_out):
        if name not in names:
            raise UnknownNameError(
                _("The table has no column “{name}”; its columns are: {names}.").format(
                    name=name, names=formatting.names(names, 20)
                ),
                code="table.unknown_column",
            )
    has_names = text.header if choices.header is None else choices.header
    if has_names not in text.typed:
        text.typed[has_names] = _parsed(text, names, columns, lines, cancel)
    parsed = [*text.typed[has_names]]
    marked = [index for index, role in enumerate(text.roles) if role in header.TARGET_ROLES]
    if choices.target is not None:
        target = names.index(choices.target)
    else:
        target = marked[0] if marked else default_target(parsed, lines)
    parsed[target] = as_target(parsed[target], lines)
    for index, role in enumerate(text.roles):
        if role in header.UNUSED_ROLES and index != target:
            reason = _("the file marks it as {role}").format(role=quoted(role))
            parsed[index] = replace(parsed[index], reason=reason)
    return Table(
        with_reasons(
            parsed,
            target,
            choices.leave_out,
            has_unnamed_index=has_names and text.first is not None and not text.first[0],
        ),
        target,
        lines,
        text.encoding,
        text.delimiter,
        has_names,
        text.header_is_sure or choices.header is not None,
        (*(() if marked else _about_target(parsed, target, choices)), *text.warnings),
    )


def _about_target(columns: Sequence[Column], target: int, choices: Choices) -> list[str]:
    """Return sentences if the last column cannot be predicted, and another one is instead."""
    last = columns[-1]
    if choices.target is not None or target == len(columns) - 1:
        return []
    sentence = _("The last column, {last}, cannot be predicted: {target} is predicted instead.")
    sentences = [sentence.format(last=quoted(last.name), target=quoted(columns[target].name))]
    try:
        report_of(last, DEFAULT)
    except InputError as error:
        sentences.append(str(error))
    return sentences


def read_cells(source: Any, cancel: CancelToken = NEVER, encoding: str | None = None) -> TextTable:
    """Return the cells of a table as text; see `read` for `source`.

    `encoding` is that of a file; by default it is found. A `TextTable` was read already.

    Raises
    ------
    InputError
        If it cannot be read, or an encoding is given for a source that is not a file.
    """
    if isinstance(source, TextTable):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        return read_text(bytes(source), cancel, encoding)
    if isinstance(source, str | Path):
        return read_text(bytes_of(Path(source)), cancel, encoding)
    if encoding is not None:
        raise InputError(
            _("An encoding is for the bytes of a file: omit it for other tables."),
            code="table.encoding_of_frame",
        )
    return from_frame(source)


def bytes_of(path: Path) -> bytes:
    """Return the bytes of a file, one more than allowed at most."""
    with file_errors("read", path), path.open("rb") as file:
        return file.read(TABLE_BYTES + 1)


def _check_size(names: Sequence[str], lines: NDArray[np.int64]) -> None:
    if len(names) < 2:
        raise InputError(
            _("The table has one column: at least two are needed, a feature and a target."),
            code="upload.one_column",
        )
    if len(lines) < MIN_ROWS:
        raise InputError(
            plural(
                "The table has {count} row: at least {least} are needed.",
                "The table has {count} rows: at least {least} are needed.",
                len(lines),
            ).format(count=len(lines), least=MIN_ROWS),
            code="upload.too_few_examples",
        )


def with_header(
    text: TextTable, chosen: bool | None
) -> tuple[tuple[str, ...], tuple[Sequence[str], ...], NDArray[np.int64]]:
    """Return names, columns and lines, with the first line as names or as data."""
    has_names = text.header if chosen is None else chosen
    if has_names or text.first is None:
        return text.names, text.columns, text.lines
    columns = tuple([first, *cells] for first, cells in zip(text.first, text.columns, strict=True))
    lines = np.concatenate([[text.first_line], text.lines]).astype(np.int64)
    return header.unique_names([""] * len(columns)), columns, lines


def _parsed(
    text: TextTable,
    names: Sequence[str],
    columns: Sequence[Sequence[str]],
    lines: NDArray[np.int64],
    cancel: CancelToken,
) -> list[Column]:
    """Return the columns; those with two readings last, because the others decide."""
    guesses: list[Guess] = []
    result: dict[int, Column] = {}
    for index, (name, cells) in enumerate(zip(names, columns, strict=True)):
        cancel.check()
        source = Cells(cells)
        guess = column_types.guess(source, text.delimiter)
        guesses.append(column_types.of_numbers(guess, source) if index in text.numeric else guess)
        if guesses[-1].alternative is None:
            result[index] = _column(name, source, lines, guesses[-1])
    for index, guess in enumerate(column_types.resolve(guesses)):
        if index not in result:
            source = Cells(columns[index])
            result[index] = _column(names[index], source, lines, guess)
    return [result[index] for index in range(len(names))]


def _column(name: str, cells: Cells, lines: NDArray[np.int64], guess: Guess) -> Column:
    """Return a column with warnings about its reading."""
    column = parse(name, cells, lines, guess.format)
    warnings = [*ambiguities(column, guess)]
    if column.codes is not None and (merged := merged_spellings(column, cells.values)):
        warnings.append(merged)
    return replace(
        column, warnings=tuple(warnings), reason=mixed_orders.reason(cells, guess.format)
    )
