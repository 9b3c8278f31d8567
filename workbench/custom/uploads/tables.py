"""A table that somebody uploads, read as text and turned into numbers; nothing in it is run."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.custom.uploads.limits import (
    MAX_CLASSES,
    MIN_ROWS,
    TABLE_BYTES,
    TABLE_COLUMNS,
    TABLE_NUMBERS,
    TABLE_ROWS,
)
from workbench.custom.uploads.splits import UploadedData, check_classes, quoted, split_rows
from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _, plural

DELIMITERS = ",;\t|"
SNIFFED_LINES = 20
"""Lines that tell the delimiter."""
MAX_INTEGER_CLASSES = 20
"""A column of whole numbers with no more different ones than these tells classes."""
MAX_CATEGORIES = 50
"""A column of words with more different ones than these is no feature."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
MAX_NUMBER = 1e100
"""Numbers beyond it would be infinite once squared."""


@dataclass(frozen=True)
class Table:
    """The cells of a table by column, as they were written, without blanks around them."""

    names: tuple[str, ...]
    columns: tuple[list[str], ...]
    decimal: str

    def __len__(self) -> int:
        return len(self.columns[0])


@dataclass(frozen=True, eq=False)
class _Column:
    """What one column holds: numbers [rows], NaN where missing; or words, None where missing.

    Two of the same name are two columns: each is equal to itself alone.
    """

    name: str
    numbers: NDArray[np.float64] | None
    words: list[str | None]

    @property
    def present(self) -> NDArray[np.bool_]:
        if self.numbers is not None:
            return ~np.isnan(self.numbers)
        return np.array([word is not None for word in self.words])

    @property
    def values(self) -> list[str]:
        return sorted({word for word in self.words if word is not None})


def read(data: bytes, cancelled: Callable[[], bool] = lambda: False) -> Table:
    """Return the table in the bytes of a CSV file in UTF-8.

    Raises
    ------
    WorkbenchError
        When it is too large or too small, no text, without a header, or lines differ in length.
    Cancelled
        When `cancelled()` answers True on the way.
    """
    if len(data) > TABLE_BYTES:
        raise WorkbenchError(
            _("The table is larger than {size}: keep fewer rows or columns.").format(
                size=formatting.size(TABLE_BYTES)
            )
        )
    text = _decoded(data)
    delimiter = _delimiter(text)
    lines = _lines(text, delimiter)
    line, header = next(lines, (0, []))
    decimal = "." if delimiter == "," else ","
    _check_header(header, decimal)
    columns: tuple[list[str], ...] = tuple([] for _name in header)
    for number, (line, cells) in enumerate(lines):
        if number >= TABLE_ROWS:
            raise WorkbenchError(
                _("The table has more than {count} rows: keep fewer.").format(
                    count=formatting.count(TABLE_ROWS)
                )
            )
        if len(cells) != len(header):
            found = plural(
                "Line {line} has {cells} cell where the header has {names}: every row needs as "
                "many.",
                "Line {line} has {cells} cells where the header has {names}: every row needs as "
                "many.",
                len(cells),
            )
            raise WorkbenchError(
                found.format(line=formatting.count(line), cells=len(cells), names=len(header))
            )
        if not number % 1000 and cancelled():
            raise Cancelled("Reading was stopped.")
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell.strip())
    _check_rows(len(columns[0]))
    names = tuple(
        name.strip() or _("column {number}").format(number=place)
        for place, name in enumerate(header, start=1)
    )
    return Table(names, columns, decimal)


def preprocess(table: Table, target: int) -> UploadedData:
    """Return what there is to learn: the column number `target` from all others.

    Numbers are given in standard deviations from the mean of the training split, a number to be
    predicted too; words as one number for each value.

    Raises
    ------
    WorkbenchError
        When the target or what is left of the others cannot be learned.
    """
    columns = [
        _column(name, cells, table.decimal)
        for name, cells in zip(table.names, table.columns, strict=True)
    ]
    aim = columns[target]
    features = [one for place, one in enumerate(columns) if place != target and _tells(one)]
    dropped = [one.name for one in columns if one is not aim and one not in features]
    if not features:
        raise WorkbenchError(
            _(
                "No column is left to predict {target} from: each has one value, or too many."
            ).format(target=quoted(aim.name))
        )
    whole = np.logical_and.reduce([one.present for one in (aim, *features)])
    _check_rows(int(whole.sum()), len(table) - int(whole.sum()))
    labels, classes = _target(aim, whole)
    rows = split_rows(labels if classes else np.zeros(len(labels), np.int64))
    width = sum(1 if one.numbers is not None else len(one.values) for one in features)
    if width * len(labels) > TABLE_NUMBERS:
        raise WorkbenchError(_("Rows and columns together are too many: keep fewer of either."))
    inputs = np.concatenate([_feature(one, whole, rows["train"]) for one in features], axis=1)
    if not classes:
        labels = _standardised(labels, rows["train"])
    return UploadedData(
        {name: (inputs[some], labels[some]) for name, some in rows.items()},
        classes,
        "own",
        _notes(len(table) - int(whole.sum()), dropped),
    )


# --- text --------------------------------------------------------------------------------


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise WorkbenchError(_("This is no table in UTF-8 text: save it again as “CSV UTF-8”."))
    return text


def _delimiter(text: str) -> str:
    """Return what cuts the first lines into the most cells, as many in each."""

    def cells(delimiter: str) -> tuple[bool, int]:
        try:
            first = [*islice(_reader(text, delimiter), SNIFFED_LINES)]
        except csv.Error:
            return False, 0
        lengths = [len(row) for row in first if row]
        return len(set(lengths)) == 1, lengths[0] if lengths else 0

    found = {delimiter: cells(delimiter) for delimiter in DELIMITERS}
    several = [one for one in DELIMITERS if found[one][1] > 1]
    return max(several or DELIMITERS, key=lambda one: found[one])


def _reader(text: str, delimiter: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its last line."""
    reader = _reader(text, delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise WorkbenchError(
            _("Line {line} cannot be read as a row of a table: {why}.").format(
                line=formatting.count(reader.line_num), reason=error
            )
        ) from None


def _check_header(header: list[str], decimal: str) -> None:
    if not header:
        raise WorkbenchError(_("The file is empty: upload a table with a header and rows."))
    if len(header) == 1:
        raise WorkbenchError(
            _("The table has one column: at least two are needed, what is known and the answer.")
        )
    if len(header) > TABLE_COLUMNS:
        raise WorkbenchError(
            _("The table has {found} columns: keep {most} or fewer.").format(
                found=formatting.count(len(header)), most=formatting.count(TABLE_COLUMNS)
            )
        )
    if all(_number(cell, decimal) is not None for cell in header):
        raise WorkbenchError(_("The first line holds numbers: it must name the columns."))


def _check_rows(count: int, left_out: int = 0) -> None:
    if count >= MIN_ROWS:
        return
    if left_out:
        raise WorkbenchError(
            _("Without the rows that miss a value {count} are left: {least} are needed.").format(
                count=count, least=MIN_ROWS
            )
        )
    raise WorkbenchError(
        _("The table has {count} rows: at least {least} are needed.").format(
            count=count, least=MIN_ROWS
        )
    )


# --- columns -----------------------------------------------------------------------------


def _number(cell: str, decimal: str) -> float | None:
    """Return a cell as a number, or None; a comma may stand for the point where it cuts nothing."""
    if "_" in cell:  # Python would read 1_000
        return None
    try:
        value = float(cell.replace(decimal, "."))
    except ValueError:
        return None
    return value if abs(value) < MAX_NUMBER else math.nan


def _column(name: str, cells: list[str], decimal: str) -> _Column:
    missing = [cell.lower() in MISSING for cell in cells]
    numbers = [
        math.nan if lacks else _number(cell, decimal)
        for cell, lacks in zip(cells, missing, strict=True)
    ]
    if not all(missing) and None not in numbers:
        return _Column(name, np.array(numbers, np.float64), [])
    words = [None if lacks else cell for cell, lacks in zip(cells, missing, strict=True)]
    return _Column(name, None, words)


def _tells(column: _Column) -> bool:
    """Whether a column can tell anything: it varies, and its words are few."""
    if column.numbers is not None:
        return len(np.unique(column.numbers[column.present])) > 1
    return 1 < len(column.values) <= MAX_CATEGORIES


def _feature(
    column: _Column, whole: NDArray[np.bool_], train: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return a column as float32 [rows, n]."""
    if column.numbers is not None:
        return _standardised(column.numbers[whole], train)[:, None]
    words = np.array([word for word, kept in zip(column.words, whole, strict=True) if kept])
    found: NDArray[np.float32] = (words[:, None] == np.array(column.values)).astype(np.float32)
    return found


def _standardised(numbers: NDArray[np.float64], train: NDArray[np.int64]) -> NDArray[np.float32]:
    mean, spread = numbers[train].mean(), numbers[train].std()
    found: NDArray[np.float32] = ((numbers - mean) / (spread or 1.0)).astype(np.float32)
    return found


def _target(column: _Column, whole: NDArray[np.bool_]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return classes and their names, or numbers and no names."""
    if column.numbers is not None:
        numbers = column.numbers[whole]
        different, labels = np.unique(numbers, return_inverse=True)
        few = len(different) <= MAX_INTEGER_CLASSES and bool((different == different.round()).all())
        names = tuple(f"{int(one)}" for one in different) if few else ()
    else:
        words = [word for word, kept in zip(column.words, whole, strict=True) if kept]
        found, labels = np.unique(np.array(words), return_inverse=True)
        names = tuple(str(one) for one in found)
        different = found
    if len(different) < 2:
        raise WorkbenchError(
            _("{target} has the same value in every row: there is nothing to predict.").format(
                target=quoted(column.name)
            )
        )
    if column.numbers is not None and not names:
        return numbers, ()
    if len(names) > MAX_CLASSES:
        raise WorkbenchError(
            _(
                "{target} has {found} different values: choose a column of numbers, or of at most "
                "{most} classes."
            ).format(
                target=quoted(column.name), found=formatting.count(len(names)), most=MAX_CLASSES
            )
        )
    check_classes(names, labels.astype(np.int64))
    return labels.astype(np.int64), names


def _notes(left_out: int, dropped: list[str]) -> tuple[str, ...]:
    found = []
    if left_out:
        sentence = plural(
            "{count} row that misses a value is left out.",
            "{count} rows that miss a value are left out.",
            left_out,
        )
        found.append(sentence.format(count=formatting.count(left_out)))
    if dropped:
        names = ", ".join(quoted(name) for name in dropped[:3])
        if len(dropped) > 3:
            names = _("{names} and {count} more").format(names=names, count=len(dropped) - 3)
        found.append(_("Not used, for one value or too many: {names}.").format(names=names))
    return tuple(found)
