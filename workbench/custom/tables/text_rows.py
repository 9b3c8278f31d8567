"""The rows of a text table: cells by column, with what was left out."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Collection, Sequence

import numpy as np

from workbench import formatting
from workbench.cancel import NEVER, CancelToken
from workbench.custom.tables import header, layout
from workbench.custom.tables.arff import without_declarations
from workbench.custom.tables.decode import Decoded, decode
from workbench.custom.tables.layout import Layout
from workbench.custom.tables.text_table import TextTable
from workbench.custom.uploads.limits import TABLE_COLUMNS, TABLE_ROWS
from workbench.custom.uploads.splits import quoted
from workbench.errors import Cancelled, InputError
from workbench.i18n import _, plural

MAX_SHARED = 1000
"""A column with more different cells holds equal cells several times."""
MAX_IRREGULAR = 0.1
"""The largest share of rows with a different number of cells that are left out."""

_SPACE = re.compile(r'[^\S\r\n]|"')
"""What shows that cells may begin or end with a space or a line break."""
_FORMULA = re.compile(r'^="(.*)"$')


def read_text(data: bytes, cancel: CancelToken = NEVER, encoding: str | None = None) -> TextTable:
    """Return the cells of a table in text, in an encoding or in the one that is found.

    Raises
    ------
    InputError
        If it is too large or too small, no text, not in the encoding, or too many lines differ
        in length.
    Cancelled
        If `cancel` is cancelled while reading.
    """
    decoded = decode(data, encoding)
    text = without_declarations(decoded.text)
    try:
        text, detected = layout.unwrapped(text)
    except csv.Error as error:
        raise _invalid(error) from None
    layouts = [detected, *layout.others(detected, text)]
    for number, chosen in enumerate(layouts, start=1):
        try:
            return _table(_Rows(text, chosen, cancel), decoded)
        except csv.Error as error:
            if number == len(layouts) or "field larger" in str(error):
                raise _invalid(error) from None
    raise AssertionError("the last layout returns or raises")


class _Rows:
    """Collects the regular rows of a text by column, and the lines of the others."""

    def __init__(self, text: str, detected: Layout, cancel: CancelToken) -> None:
        self.layout = detected
        self.lines = array("q")
        self.columns: list[list[str]] = [[] for _ in range(detected.width)]
        self.first: list[str] = []
        self.first_line = 1
        self.irregular: list[tuple[int, int]] = []
        self.comments = 0
        self._shared: list[dict[str, str] | None] = [{} for _ in range(detected.width)]
        self._has_spaces = _SPACE.search(text) is not None
        chunk: list[list[str]] = []
        width = detected.width
        if width > TABLE_COLUMNS:
            raise InputError(
                _("The table has {found} columns: keep {most} or fewer.").format(
                    found=formatting.count(width), most=formatting.count(TABLE_COLUMNS)
                ),
                code="upload.too_many_columns",
            )
        for line, cells in layout.rows(text, detected):
            if not self.first:
                self.first, self.first_line = cells, line
                continue
            if len(cells) == width + 1 and not cells[-1]:
                del cells[-1]
            if len(cells) != width or (not self.lines and _is_rule(cells)):
                self._add_other(line, cells)
                continue
            self.lines.append(line)
            chunk.append(cells)
            if len(chunk) == 2000:
                self._add(chunk)
                chunk = []
                _check_count(len(self.lines))
                if cancel.cancelled:
                    raise Cancelled("Reading was cancelled.")
        _check_count(len(self.lines))
        if cancel.cancelled:
            raise Cancelled("Reading was cancelled.")
        self._add(chunk)

    def _add_other(self, line: int, cells: list[str]) -> None:
        """Record a line that is not a row of the table."""
        if cells[0].startswith(layout.COMMENTS):
            self.comments += 1
        elif not _is_rule(cells):
            self.irregular.append((line, len(cells)))

    def _add(self, chunk: list[list[str]]) -> None:
        for index, cells in enumerate(zip(*chunk, strict=True)):
            stripped = list(map(str.strip, cells)) if self._has_spaces else list(cells)
            if stripped[0].startswith('="'):  # texts as some programs export them for Excel
                stripped = [_FORMULA.sub(r"\1", cell) for cell in stripped]
            shared = self._shared[index]
            if shared is not None and len(shared.keys() | {*stripped}) > MAX_SHARED:
                shared = self._shared[index] = None
            if shared is not None:
                stripped = list(map(shared.setdefault, stripped, stripped))
            self.columns[index].extend(stripped)


def _is_rule(cells: Sequence[str]) -> bool:
    """Whether a row is the line below the names of a table in Markdown, such as |---|:---:|."""
    marks = "".join(cells)
    return "--" in marks and not marks.strip(" -:=")


def _table(rows: _Rows, decoded: Decoded) -> TextTable:
    """Return the table of collected rows."""
    if not rows.first:
        raise InputError(
            _("The file is empty: upload a table with a header and rows."), code="upload.empty"
        )
    columns = rows.columns
    first = [cell.strip() for cell in rows.first]
    first[0] = first[0].removeprefix("#").strip() if first[0] != "#" else first[0]
    width = len(columns)
    if len(first) == width + 1 and not first[-1]:
        del first[-1]
    elif len(first) == width - 1:  # names of rows, or a delimiter after each row
        first = [*first, ""] if not any(columns[-1]) else ["", *first]
    if not first[-1] and not any(columns[-1]) and len(columns) > 2:
        first, columns = first[:-1], columns[:-1]
    _check_regular(rows, len(first) != len(columns), len(first))
    warnings = [*decoded.notes, *_notes(rows)]
    lines = np.array(rows.lines, np.int64)
    above = [[*line] for line in zip(*(column[:2] for column in columns), strict=True)]
    below = [column[2:] for column in columns]
    roles: tuple[str, ...] = ()
    if len(lines) > 2 and header.role_line(above[0], above[1], below):
        roles = tuple(role.lower() for role in above[1])
        sentence = _("Lines {line} and {next} hold types and roles of the columns: left out.")
        first_two = [formatting.count(int(line)) for line in lines[:2]]
        warnings.append(sentence.format(line=first_two[0], next=first_two[1]))
        columns, lines = below, lines[2:]
    elif len(lines) > 1 and (joined := header.joined(first, above[0], below)) is not None:
        warnings.append(
            _("The names of the columns are those of two lines, such as {name}.").format(
                name=quoted(joined[-1])
            )
        )
        first, columns, lines = joined, [column[1:] for column in columns], lines[1:]
    elif len(lines) > 1 and header.type_line(above[0], [column[1:] for column in columns]):
        warnings.append(
            _("Line {line} holds types or units of the columns: left out.").format(
                line=formatting.count(int(lines[0]))
            )
        )
        columns, lines = [column[1:] for column in columns], lines[1:]
    has_names, is_sure = (True, True) if roles else header.is_header(first, columns)
    again = header.repetitions(first, columns) if has_names else []
    if again:
        sentence = plural(
            "{count} line repeats the names of the columns: left out.",
            "{count} lines repeat the names of the columns: left out.",
            len(again),
        )
        warnings.append(sentence.format(count=formatting.count(len(again))))
        columns = [_without(column, again) for column in columns]
        lines = np.delete(lines, again)
    return TextTable(
        tuple(first),
        header.unique_names(first),
        tuple(columns),
        lines,
        rows.first_line,
        decoded.encoding,
        rows.layout.delimiter,
        has_names,
        is_sure,
        tuple(warnings),
        roles,
    )


def _without(column: Sequence[str], rows: Collection[int]) -> list[str]:
    return [cell for row, cell in enumerate(column) if row not in rows]


def _check_regular(rows: _Rows, first_differs: bool, first_width: int) -> None:
    """Check that few rows differ in their number of cells."""
    irregular = [(rows.first_line, first_width)] if first_differs else rows.irregular
    if not first_differs and len(irregular) <= MAX_IRREGULAR * (len(rows.lines) + 1):
        return
    line, count = irregular[0]
    sentence = plural(
        "Line {line} has {cells} cell, but most lines have {width}: every row must have as many "
        "cells.",
        "Line {line} has {cells} cells, but most lines have {width}: every row must have as many "
        "cells.",
        count,
    )
    raise InputError(
        sentence.format(line=formatting.count(line), cells=count, width=rows.layout.width),
        code="upload.row_length",
    )


def _notes(rows: _Rows) -> list[str]:
    """Return sentences about the lines that are not rows."""
    notes = []
    if rows.layout.skip and not (rows.layout.skip == 1 and rows.layout.names_itself):
        sentence = plural(
            "The first line is not a row of the table: left out.",
            "The first {count} lines are not rows of the table: left out.",
            rows.layout.skip,
        )
        notes.append(sentence.format(count=formatting.count(rows.layout.skip)))
    if rows.irregular:
        line, cells = rows.irregular[0]
        sentence = plural(
            "{count} line is left out, because it has a different number of cells than the others: "
            "line {line} has {cells}.",
            "{count} lines are left out, because they have a different number of cells than the "
            "others: line {line}, the first of them, has {cells}.",
            len(rows.irregular),
        )
        count = formatting.count(len(rows.irregular))
        notes.append(sentence.format(count=count, line=formatting.count(line), cells=cells))
    return notes


def _check_count(count: int) -> None:
    if count > TABLE_ROWS:
        raise InputError(
            _("The table has more than {count} rows: keep fewer.").format(
                count=formatting.count(TABLE_ROWS)
            ),
            code="upload.too_many_rows",
        )


def _invalid(error: csv.Error) -> InputError:
    return InputError(
        _(
            "A row cannot be read: {reason}. Check its quotation marks, and cells of more than "
            "100,000 letters."
        ).format(reason=error),
        code="upload.invalid_row",
    )
