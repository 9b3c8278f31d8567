"""New rows of a table: found by the names of their columns, read as the training rows were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.cancel import NEVER, CancelToken
from workbench.custom.prediction.cells import new_cells
from workbench.custom.prediction.date_order import in_order
from workbench.custom.prediction.examples import NewExamples
from workbench.custom.prediction.reading import Reading
from workbench.custom.prediction.separators import with_separators
from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Column, Format, Table
from workbench.custom.tables.features.categories import CategoryFeatures
from workbench.custom.tables.numbers import CONVENTIONS
from workbench.custom.tables.parse import category_key, parse
from workbench.custom.tables.preprocessing import Preprocessing
from workbench.custom.tables.text_table import TextTable
from workbench.custom.uploads.limits import TABLE_NUMBERS
from workbench.custom.uploads.splits import quoted
from workbench.domain import TargetScale
from workbench.errors import ArtifactError, InputError
from workbench.i18n import _, plural

MAX_NAMED = 3
"""Columns, categories or cells that a sentence names."""


def table_rows(
    source: Any,
    data: Mapping[str, Any],
    classes: tuple[str, ...],
    width: int,
    cancel: CancelToken = NEVER,
    encoding: str | None = None,
) -> NewExamples:
    """Return new rows as the inputs of a network.

    Columns are found by name; upper and lower case and spaces do not matter. Their order is free,
    and columns that the model does not know are ignored.

    Parameters
    ----------
    source
        As for `new_cells`.
    data
        What `Preprocessing.as_dict` returned.
    classes
        The names of the classes; empty if a number is predicted.
    width
        The number of inputs of the network.
    cancel, encoding
        As for `new_cells`.

    Raises
    ------
    InputError
        If there are no rows, or no column that the model knows.
    ArtifactError
        If `data` are damaged.
    """
    preprocessing = Preprocessing.from_dict(data)
    _check(preprocessing, classes, width)
    known = [column.name for column in preprocessing.columns]
    cells = new_cells(source, known, preprocessing.target.name, cancel, encoding)
    positions = _positions(cells, known)
    if not positions:
        raise InputError(
            _("These rows have no column that the model knows: {names}.").format(
                names=_list(known)
            ),
            code="predict.no_known_column",
        )
    if len(cells) * width > TABLE_NUMBERS:
        raise InputError(
            _("These are too many rows at once: use at most {count}.").format(
                count=formatting.count(TABLE_NUMBERS // width)
            ),
            code="predict.too_many_rows",
        )
    readings = {
        column.name: _reading(column.name, cells, positions[column.name], column.format)
        for column in preprocessing.columns
        if column.name in positions
    }
    columns = tuple(
        parse(name, reading.cells, cells.lines, reading.format)
        for name, reading in readings.items()
    )
    table = Table((*columns, *_target(cells, preprocessing)), 0, cells.lines)
    target = preprocessing.target
    goal = next((column for column in table.columns if column.name == target.name), None)
    labels = None if goal is None else target.labels(goal, np.arange(len(table)))
    notes = [*cells.warnings, *(reading.note for reading in readings.values() if reading.note)]
    notes += _notes(preprocessing, columns)
    if goal is not None and labels is not None:
        notes += _about_true_values(goal, labels, cells.lines, target.classes)
    return NewExamples(
        preprocessing.transform(table),
        dict(zip(cells.names, cells.columns, strict=True)),
        cells.lines.tolist(),
        TargetScale(target.name, target.mean, target.scale),
        labels,
        tuple(notes),
    )


def _check(preprocessing: Preprocessing, classes: tuple[str, ...], width: int) -> None:
    """Check what a damaged file may claim."""
    target = preprocessing.target
    is_target = target.format.type != "text" if classes else target.format.type == "number"
    formats = [column.format for column in preprocessing.columns]
    formats.append(target.format)
    names = [column.name for column in preprocessing.columns]
    valid = all(isinstance(name, str) for name in names) and all(map(_is_valid, formats))
    different = valid and len({*names, target.name}) == len(names) + 1
    if not (different and is_target) or (target.classes, preprocessing.width) != (classes, width):
        raise ArtifactError(
            "The file's preprocessing does not fit its network: download or save the file again.",
            code="artifact.invalid_preprocessing",
        )


def _is_valid(format: Format) -> bool:
    return (format.decimal, format.thousands) in CONVENTIONS


def _positions(cells: TextTable, known: Iterable[str]) -> dict[str, int]:
    """Return the positions of known columns by their name in the model."""
    exact = {name: position for position, name in enumerate(cells.names)}
    similar = {category_key(name): position for name, position in exact.items()}
    positions = {name: exact.get(name, similar.get(category_key(name))) for name in known}
    return {name: position for name, position in positions.items() if position is not None}


def _target(cells: TextTable, preprocessing: Preprocessing) -> tuple[Column, ...]:
    """Return the column of true values, if the rows contain it."""
    target = preprocessing.target
    position = _positions(cells, [target.name]).get(target.name)
    if position is None:
        return ()
    words = frozenset(name.lower() for name in target.classes)
    reading = _reading(target.name, cells, position, target.format, words)
    return (parse(target.name, reading.cells, cells.lines, reading.format),)


def _reading(
    name: str,
    cells: TextTable,
    position: int,
    fitted: Format,
    class_words: frozenset[str] = frozenset(),
) -> Reading:
    """Return how the column at a position is read, which the training rows read as `fitted`."""
    source = Cells(cells.columns[position], class_words)
    if fitted.type == "date":
        return in_order(name, source, fitted)
    if fitted.type != "number":
        return Reading(source, fitted)
    if position in cells.numeric:
        return Reading(source, Format("number", unit=fitted.unit))
    return with_separators(name, source, fitted, cells.delimiter)


def _notes(preprocessing: Preprocessing, columns: Sequence[Column]) -> Iterable[str]:
    """Return sentences about missing columns, unknown categories and cells not understood."""
    by_name = {column.name: column for column in columns}
    missing = [column.name for column in preprocessing.columns if column.name not in by_name]
    if missing:
        sentence = plural(
            "The column {names} is missing: its values count as unknown.",
            "The columns {names} are missing: their values count as unknown.",
            len(missing),
        )
        yield sentence.format(names=_list(missing))
    yield from _about_empty(columns)
    for fitted in preprocessing.columns:
        column = by_name.get(fitted.name)
        if column is None:
            continue
        if column.unreadable:
            yield _not_understood(column)
        if isinstance(fitted.features, CategoryFeatures):
            yield from _unknown(column, fitted.features)


def _about_true_values(
    goal: Column, labels: NDArray[Any], lines: NDArray[np.int64], classes: tuple[str, ...]
) -> Iterable[str]:
    """Return a sentence about true values that are not evaluated, if there are some."""
    if not classes:
        if goal.unreadable:
            yield _not_understood(goal)
        return
    rows = np.flatnonzero((labels < 0) & goal.present).tolist()
    cells = {row: goal.cells[row] for row in rows}
    cells |= {int(np.searchsorted(lines, cell.line)): cell.text for cell in goal.examples}
    count = len(rows) + goal.unreadable
    if count:
        sentence = plural(
            "{name}: {count} true value is not a class of the model and is not evaluated: {words}. "
            "The first is in line {line}.",
            "{name}: {count} true values are not classes of the model and are not evaluated: "
            "{words}. The first is in line {line}.",
            count,
        )
        yield sentence.format(
            name=goal.name,
            count=formatting.count(count),
            words=_list(tuple(dict.fromkeys(cells[row] for row in sorted(cells)))),
            line=formatting.count(int(lines[min(cells)])),
        )


def _about_empty(columns: Sequence[Column]) -> Iterable[str]:
    """Return a sentence about rows without any value, if there are some."""
    empty = np.flatnonzero(~np.logical_or.reduce([column.present for column in columns]))
    if len(empty):
        sentence = plural(
            "{count} row has no value that is understood: the prediction is that of a typical row.",
            "{count} rows have no value that is understood: the predictions are those of a typical "
            "row.",
            len(empty),
        )
        yield sentence.format(count=formatting.count(len(empty)))


def _not_understood(column: Column) -> str:
    sentence = plural(
        "{name}: {count} cell is not understood and counts as unknown, such as {cell} in line "
        "{line}.",
        "{name}: {count} cells are not understood and count as unknown, such as {cell} in line "
        "{line}.",
        column.unreadable,
    )
    example = column.examples[0]
    return sentence.format(
        name=column.name,
        count=formatting.count(column.unreadable),
        cell=quoted(example.text),
        line=formatting.count(example.line),
    )


def _unknown(column: Column, features: CategoryFeatures) -> Iterable[str]:
    words = features.unknown(column)
    if words and not features.other:
        sentence = plural(
            "{name}: the model does not know the category {words}.",
            "{name}: the model does not know the categories {words}.",
            len(words),
        )
        yield sentence.format(name=column.name, words=_list(words))


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(map(quoted, names[:MAX_NAMED]))
    if len(names) > MAX_NAMED:
        return _("{names} and {count} more").format(names=shown, count=len(names) - MAX_NAMED)
    return shown
