"""From a table to the examples of a task: rows, splits, features and targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.custom.origin import Origin
from workbench.custom.tables.column import Column, Table
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.preprocessing import Preprocessing
from workbench.custom.tables.target import report_of, rows_used
from workbench.custom.tables.target_encoding import Target
from workbench.custom.uploads.limits import MIN_ROWS
from workbench.custom.uploads.splits import UploadedData, check_classes, quoted, split_rows
from workbench.domain import SourceRows, TargetScale
from workbench.errors import InputError
from workbench.i18n import _, plural

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PreparedTable:
    """A table, ready for training.

    Attributes
    ----------
    data : UploadedData
        The examples of each split.
    preprocessing : Preprocessing
        How rows of such a table become examples.
    splits : dict
        The indices of the table's rows in each split.
    """

    data: UploadedData
    preprocessing: Preprocessing
    splits: dict[str, Rows]


def prepare(table: Table, choices: Choices, name: str = "table") -> PreparedTable:
    """Return the examples for predicting the target of a table from its other columns.

    Everything is fitted on the training split only, except the names of the classes.

    Parameters
    ----------
    table
        The table.
    choices
        What the user chose.
    name
        The name of the file; files of the model store it.

    Raises
    ------
    InputError
        If the target cannot be predicted, or no column or too few rows remain.
    """
    goal = table.columns[table.target]
    as_number = report_of(goal, choices).as_number
    columns = [column for column in table.features if not column.reason]
    rows = np.flatnonzero(rows_used(table, choices))
    _check(goal, columns, rows)
    if as_number:
        splits = {name: rows[part] for name, part in split_rows(np.zeros_like(rows)).items()}
        target = Target.of_number(goal, splits["train"])
    else:
        target = Target.of_classes(goal, rows)
        labels = np.asarray(target.labels(goal, rows), np.int64)
        check_classes(target.classes, labels)
        splits = {name: rows[part] for name, part in split_rows(labels).items()}
    train = splits["train"]
    preprocessing = Preprocessing.fit(columns, train, target, target.labels(goal, train), len(rows))
    if not preprocessing.width:
        raise InputError(
            _("No word occurs twice in the texts: there is nothing to learn from."),
            code="upload.no_features",
        )
    data = UploadedData(
        {
            name: (preprocessing.transform(table, part), target.labels(goal, part))
            for name, part in splits.items()
        },
        target.classes,
        "custom",
        target=TargetScale(target.name, target.mean, target.scale),
        rows={
            "train": SourceRows((), table.lines[train].tolist(), ()),  # only their lines
            **{split: _source_rows(table, splits[split]) for split in ("validation", "test")},
        },
        origin=_origin(name, table, choices, as_number=as_number),
        preprocessing=preprocessing.as_dict(),
    )
    return PreparedTable(data, preprocessing, splits)


def _check(goal: Column, columns: list[Column], rows: Rows) -> None:
    if not columns:
        raise InputError(
            _("No column is left to predict {target} from: the check lists the reasons.").format(
                target=quoted(goal.name)
            ),
            code="upload.no_features",
        )
    if len(rows) < MIN_ROWS:
        raise InputError(
            plural(
                "Only {count} row can be used: {least} are needed.",
                "Only {count} rows can be used: {least} are needed.",
                len(rows),
            ).format(count=len(rows), least=MIN_ROWS),
            code="upload.too_few_examples",
        )


def _origin(name: str, table: Table, choices: Choices, *, as_number: bool) -> Origin:
    """Return what the examples are made from: all cells, and the choices as they take effect."""
    goal = table.columns[table.target].name
    effective = {
        "target": goal,
        "as_number": as_number,
        "leave_out": sorted({*choices.leave_out} - {goal}),
        "missing": choices.missing,
        "leave_out_rare": choices.leave_out_rare,
    }
    columns = (_bytes(column) for column in table.columns)
    return Origin.of(name, columns, effective)


def _bytes(column: Column) -> bytes:
    return "\0".join((column.name, *column.cells)).encode(errors="surrogatepass")


def _source_rows(table: Table, rows: Rows) -> SourceRows:
    return SourceRows(
        table.names,
        table.lines[rows].tolist(),
        [[column.cells[row] for row in rows.tolist()] for column in table.columns],
    )
