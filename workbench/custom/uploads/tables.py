"""Uploaded CSV tables: parsing, and conversion to numeric features and targets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.cancel import NEVER, CancelToken
from workbench.custom.uploads.limits import (
    MAX_CLASSES,
    MIN_ROWS,
    TABLE_BYTES,
    TABLE_COLUMNS,
    TABLE_NUMBERS,
    TABLE_ROWS,
)
from workbench.custom.uploads.splits import UploadedData, check_classes, quoted, split_rows
from workbench.errors import Cancelled, InputError
from workbench.i18n import _, plural

DELIMITERS = ",;\t|"
SNIFFED_LINES = 20
"""Lines from which the delimiter is detected."""
MAX_INTEGER_CLASSES = 20
"""A target column of integers with at most this many distinct values is a class."""
MAX_CATEGORIES = 50
"""A text column with more distinct values than this is not used as a feature."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
MAX_NUMBER = 1e100
"""Larger numbers count as missing: their squares would be infinite."""


@dataclass(frozen=True)
class Table:
    """The cells of a table by column, as text without surrounding spaces."""

    names: tuple[str, ...]
    columns: tuple[list[str], ...]
    decimal: str

    def __len__(self) -> int:
        return len(self.columns[0])


@dataclass(frozen=True, eq=False)
class _Column:
    """One column: numbers [rows] with NaN for missing values, or words with None.

    Columns are compared by identity, because two may have the same name.
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


def read(data: bytes, cancel: CancelToken = NEVER) -> Table:
    """Return the table in the bytes of a CSV file in UTF-8.

    Raises
    ------
    InputError
        When it is too large or too small, not text, has no header, or lines differ in length.
    Cancelled
        If `cancel` is cancelled while reading.
    """
    if len(data) > TABLE_BYTES:
        raise InputError(
            _("The table is larger than {size}: keep fewer rows or columns.").format(
                size=formatting.size(TABLE_BYTES)
            ),
            code="upload.too_large",
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
            raise InputError(
                _("The table has more than {count} rows: keep fewer.").format(
                    count=formatting.count(TABLE_ROWS)
                ),
                code="upload.too_many_rows",
            )
        if len(cells) != len(header):
            sentence = plural(
                "Line {line} has {cells} cell, but the header has {names}: every row must have as "
                "many cells as the header.",
                "Line {line} has {cells} cells, but the header has {names}: every row must have "
                "as many cells as the header.",
                len(cells),
            )
            raise InputError(
                sentence.format(line=formatting.count(line), cells=len(cells), names=len(header)),
                code="upload.row_length",
            )
        if not number % 1000 and cancel.cancelled:
            raise Cancelled("Reading was cancelled.")
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell.strip())
    _check_rows(len(columns[0]))
    names = tuple(
        name.strip() or _("column {number}").format(number=number)
        for number, name in enumerate(header, start=1)
    )
    return Table(names, columns, decimal)


def preprocess(table: Table, target: int) -> UploadedData:
    """Return the data for predicting the column with the index `target` from all others.

    Numbers, including numeric targets, are standardized by mean and standard deviation of the
    training split. Text columns are one-hot encoded.

    Raises
    ------
    InputError
        When the target cannot be predicted, or no usable features or too few rows remain.
    """
    columns = [
        _column(name, cells, table.decimal)
        for name, cells in zip(table.names, table.columns, strict=True)
    ]
    goal = columns[target]
    features = [c for index, c in enumerate(columns) if index != target and _is_informative(c)]
    dropped = [c.name for c in columns if c is not goal and c not in features]
    if not features:
        raise InputError(
            _(
                "No column is left to predict {target} from: each has one value, or too many."
            ).format(target=quoted(goal.name)),
            code="upload.no_features",
        )
    complete = np.logical_and.reduce([column.present for column in (goal, *features)])
    left_out = len(table) - int(complete.sum())
    _check_rows(int(complete.sum()), left_out)
    labels, classes = _target(goal, complete)
    splits = split_rows(labels if classes else np.zeros(len(labels), np.int64))
    width = sum(1 if column.numbers is not None else len(column.values) for column in features)
    if width * len(labels) > TABLE_NUMBERS:
        raise InputError(
            _("The table has too many rows and columns together: keep fewer of either."),
            code="upload.too_large",
        )
    train = splits["train"]
    inputs = np.concatenate([_feature(column, complete, train) for column in features], axis=1)
    if not classes:
        labels = _standardized(labels, train)
    return UploadedData(
        {name: (inputs[rows], labels[rows]) for name, rows in splits.items()},
        classes,
        "custom",
        _notes(left_out, dropped),
    )


# --- text --------------------------------------------------------------------------------


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(
            _("This is not a table in UTF-8 text: save it again as “CSV UTF-8”."),
            code="upload.not_text",
        )
    return text


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the first lines into the most cells, equally many each."""

    def cells(delimiter: str) -> tuple[bool, int]:
        try:
            first = [*islice(_reader(text, delimiter), SNIFFED_LINES)]
        except csv.Error:
            return False, 0
        lengths = [len(row) for row in first if row]
        return len(set(lengths)) == 1, lengths[0] if lengths else 0

    ranks = {delimiter: cells(delimiter) for delimiter in DELIMITERS}
    several = [delimiter for delimiter in DELIMITERS if ranks[delimiter][1] > 1]
    return max(several or DELIMITERS, key=lambda delimiter: ranks[delimiter])


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
        raise InputError(
            _("Line {line} cannot be read as a row of a table: {reason}.").format(
                line=formatting.count(reader.line_num), reason=error
            ),
            code="upload.invalid_row",
        ) from None


def _check_header(header: list[str], decimal: str) -> None:
    if not header:
        raise InputError(
            _("The file is empty: upload a table with a header and rows."), code="upload.empty"
        )
    if len(header) == 1:
        raise InputError(
            _("The table has one column: at least two are needed, a feature and a target."),
            code="upload.one_column",
        )
    if len(header) > TABLE_COLUMNS:
        raise InputError(
            _("The table has {found} columns: keep {most} or fewer.").format(
                found=formatting.count(len(header)), most=formatting.count(TABLE_COLUMNS)
            ),
            code="upload.too_many_columns",
        )
    if all(_number(cell, decimal) is not None for cell in header):
        raise InputError(
            _("The first line contains only numbers: it must name the columns."),
            code="upload.no_header",
        )


def _check_rows(count: int, left_out: int = 0) -> None:
    if count >= MIN_ROWS:
        return
    if left_out:
        raise InputError(
            _("Only {count} rows have no missing value: {least} are needed.").format(
                count=count, least=MIN_ROWS
            ),
            code="upload.too_few_examples",
        )
    raise InputError(
        _("The table has {count} rows: at least {least} are needed.").format(
            count=count, least=MIN_ROWS
        ),
        code="upload.too_few_examples",
    )


# --- columns -----------------------------------------------------------------------------


def _number(cell: str, decimal: str) -> float | None:
    """Return a cell as a number, or None; `decimal` is a decimal separator like the point."""
    if "_" in cell:  # Python would read 1_000
        return None
    try:
        value = float(cell.replace(decimal, "."))
    except ValueError:
        return None
    return value if abs(value) < MAX_NUMBER else math.nan


def _column(name: str, cells: list[str], decimal: str) -> _Column:
    texts = [None if cell.lower() in MISSING else cell for cell in cells]
    numbers = [math.nan if text is None else _number(text, decimal) for text in texts]
    if any(text is not None for text in texts) and None not in numbers:
        return _Column(name, np.array(numbers, np.float64), [])
    return _Column(name, None, texts)


def _is_informative(column: _Column) -> bool:
    """Whether a column is not constant and, if it is text, has at most `MAX_CATEGORIES` values."""
    if column.numbers is not None:
        return len(np.unique(column.numbers[column.present])) > 1
    return 1 < len(column.values) <= MAX_CATEGORIES


def _feature(
    column: _Column, complete: NDArray[np.bool_], train: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the complete rows of a column as float32 [rows, n]."""
    if column.numbers is not None:
        return _standardized(column.numbers[complete], train)[:, None]
    words = _words(column, complete)
    one_hot: NDArray[np.float32] = (words[:, None] == np.array(column.values)).astype(np.float32)
    return one_hot


def _words(column: _Column, complete: NDArray[np.bool_]) -> NDArray[Any]:
    return np.array([word for word, use in zip(column.words, complete, strict=True) if use])


def _standardized(numbers: NDArray[np.float64], train: NDArray[np.int64]) -> NDArray[np.float32]:
    mean, std = numbers[train].mean(), numbers[train].std()
    result: NDArray[np.float32] = ((numbers - mean) / (std or 1.0)).astype(np.float32)
    return result


def _target(column: _Column, complete: NDArray[np.bool_]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return class indices and class names, or numbers and no names."""
    numbers = None if column.numbers is None else column.numbers[complete]
    values: NDArray[Any] = _words(column, complete) if numbers is None else numbers
    distinct, labels = np.unique(values, return_inverse=True)
    if len(distinct) < 2:
        raise InputError(
            _("{target} has the same value in every row: there is nothing to predict.").format(
                target=quoted(column.name)
            ),
            code="upload.constant_target",
        )
    if numbers is not None and (
        len(distinct) > MAX_INTEGER_CLASSES or bool((distinct != distinct.round()).any())
    ):
        return numbers, ()
    names = tuple(str(value if numbers is None else int(value)) for value in distinct)
    if len(names) > MAX_CLASSES:
        raise InputError(
            _(
                "{target} has {found} different values: choose a column of numbers, or of at most "
                "{most} classes."
            ).format(
                target=quoted(column.name), found=formatting.count(len(names)), most=MAX_CLASSES
            ),
            code="upload.too_many_classes",
        )
    check_classes(names, labels.astype(np.int64))
    return labels.astype(np.int64), names


def _notes(left_out: int, dropped: list[str]) -> tuple[str, ...]:
    notes = []
    if left_out:
        sentence = plural(
            "{count} row with a missing value is left out.",
            "{count} rows with missing values are left out.",
            left_out,
        )
        notes.append(sentence.format(count=formatting.count(left_out)))
    if dropped:
        names = ", ".join(quoted(name) for name in dropped[:3])
        if len(dropped) > 3:
            names = _("{names} and {count} more").format(names=names, count=len(dropped) - 3)
        notes.append(
            _("Not used, because of too few or too many values: {names}.").format(names=names)
        )
    return tuple(notes)
