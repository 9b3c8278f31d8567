"""Learn from tables and texts: from a file or frame to a model like any other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.arguments import expect_running
from workbench.cancel import NEVER, CancelToken
from workbench.custom.model_name import check_model_name
from workbench.custom.tables.column import Format, Table
from workbench.custom.tables.inspect import inspection_of
from workbench.custom.tables.inspection import Choices, Inspection
from workbench.custom.tables.parse import parse
from workbench.custom.tables.prepare import prepare
from workbench.custom.tables.read import read
from workbench.domain import Model
from workbench.errors import InputError
from workbench.recipe.schema import brief

MAX_NAME = 40


@dataclass(frozen=True, eq=False)
class Learned:
    """A model and what it was made from.

    Attributes
    ----------
    model : Model
        Trained and registered.
    inspection : Inspection
        What the table holds and how it was used.
    """

    model: Model
    inspection: Inspection


def from_table(
    source: Any,
    target: str | None = None,
    *,
    as_number: bool | None = None,
    leave_out: Iterable[str] = (),
    header: bool | None = None,
    missing: str = "impute",
    leave_out_rare: bool = False,
    encoding: str | None = None,
    name: str | None = None,
    seconds: float | None = None,
    cancel: CancelToken = NEVER,
) -> Model:
    """Return a small network that predicts one column of a table from the others.

    It is trained here, usually within seconds, and is a model like any other: compress it, measure
    it, look at what changes. `wb.inspect_table` takes the same arguments and says how each column
    is used. The rows are split at random into training (70 %), validation and test (15 % each).

    Parameters
    ----------
    source
        The path or the bytes of a table (CSV, TSV and similar text, also as .gz), a pandas
        DataFrame, or a mapping from names to columns.
    target
        The name of the column to predict; by default the last one that can be.
    as_number
        Predict the target as a number (True) or as classes (False); by default as the column
        suggests. Errors are in the unit of the column.
    leave_out
        The names of columns that are not used.
    header
        Whether the first line holds names (True) or data (False); by default as it looks.
    missing
        "impute" missing values, or "leave_out" the rows that have one.
    leave_out_rare
        Leave out the rows of classes that have too few examples.
    encoding
        The encoding of the text, such as "utf-8", "cp1252" or "mac-roman"; by default it is found.
    name
        The model is registered as ``custom/name``; by default the name of the file.
    seconds
        The longest time to train; by default as long as the number of rows needs. With it, the
        result depends on the speed of the machine. Only training counts, and a few short passes are
        made in any case. If the limit ends the training early, `Model.notes` says so.
    cancel
        Checked while reading and between two steps; receives the progress of the training.

    Raises
    ------
    InputError
        If the table cannot be read, the target cannot be predicted, or there is too little to
        learn from.
    UnknownNameError
        If the table has no column of a chosen name.
    Cancelled
        If `cancel` is cancelled; nothing is then registered.

    Examples
    --------
    >>> table = {"size": [*range(30, 90)], "price": [1000.0 * n for n in range(30, 90)]}
    >>> model = wb.from_table(table, target="price", name="prices", seconds=1)
    >>> model.task.target.name
    'price'
    """
    expect_running(cancel)
    choices = Choices(
        target, as_number, _names(leave_out), header, missing, leave_out_rare, encoding
    )
    table = read(source, choices, cancel)
    file = Path(source).name if isinstance(source, str | Path) else ""
    name = name or default_name(source)
    return learn(name, table, choices, seconds, cancel, file=file).model


def from_text(
    texts: Sequence[str],
    targets: Sequence[Any],
    *,
    as_number: bool | None = None,
    name: str = "texts",
    seconds: float | None = None,
    cancel: CancelToken = NEVER,
) -> Model:
    """Return a small network that predicts a class or a number from a text.

    Its inputs are the frequencies of words. For texts with further columns,
    use `wb.from_table`.

    Parameters
    ----------
    texts
        The texts.
    targets
        The class or the number of each text; None where it is unknown.
    as_number, name, seconds, cancel
        As in `wb.from_table`.

    Raises
    ------
    InputError
        If the targets cannot be predicted, or there are too few texts.
    Cancelled
        If `cancel` is cancelled; nothing is then registered.

    Examples
    --------
    >>> texts = ["a good film", "a bad film", "good fun", "bad music"] * 20
    >>> model = wb.from_text(texts, ["positive", "negative"] * 40, seconds=1)
    >>> model.accuracy("test")
    1.0
    """
    expect_running(cancel)
    choices = Choices("target", as_number)
    columns = {"text": _values(texts, "texts"), "target": _values(targets, "targets")}
    table = read(columns, choices, cancel)
    text, goal = table.columns
    text = parse(text.name, text.cells, table.lines, Format("text"))
    table = replace(table, columns=(text, goal))
    return learn(name, table, choices, seconds, cancel).model


def learn(
    name: str,
    table: Table,
    choices: Choices,
    seconds: float | None = None,
    cancel: CancelToken = NEVER,
    *,
    file: str = "",
) -> Learned:
    """Train a model on a table that was read, and register it as ``custom/name``.

    Parameters
    ----------
    name, table, choices, seconds, cancel
        As in `from_table`.
    file
        The name of the file that the table was read from; by default `name`.

    Raises
    ------
    InputError
        If the target cannot be predicted, or there is too little to learn from.
    Cancelled
        If `cancel` is cancelled; nothing is then registered.
    """
    from workbench.custom.uploads.time_limit import check_seconds

    check_model_name(name)
    check_seconds(seconds)
    inspection = inspection_of(table, choices)
    prepared = prepare(table, choices, file or name)
    from workbench.custom.uploads.small_models import train_small_model

    model = train_small_model(name, prepared.data, cancel, seconds=seconds)
    return Learned(model, inspection)


def default_name(source: Any) -> str:
    """Return the name of a model that is made from a file or frame."""
    stem = Path(source).name.partition(".")[0] if isinstance(source, str | Path) else ""
    return re.sub(r"[^\w.+-]+", "-", stem)[:MAX_NAME].strip("-.+_") or "table"


def _values(values: object, name: str) -> list[Any]:
    """Return a column as a list, or raise `InputError` if it has no values."""
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping):
        return list(values)
    raise InputError(
        f"{name} must be a list with one value for each text, not {brief(values)}.",
        code="argument.not_a_list",
    )


def _names(leave_out: Iterable[str]) -> tuple[str, ...]:
    return (leave_out,) if isinstance(leave_out, str) else tuple(leave_out)
