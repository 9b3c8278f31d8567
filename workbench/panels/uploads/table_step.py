"""An uploaded table: inspected with the choices of the user, then learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.cancel import CancelToken
from workbench.custom.tables.column import Table
from workbench.custom.tables.inspect import inspection_of
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.read import read, read_cells
from workbench.custom.tables.target import report_of
from workbench.custom.uploads.names import unique_name
from workbench.errors import InputError
from workbench.panels.uploads.choices import table_choices
from workbench.panels.uploads.step import Outcome, Progress
from workbench.panels.uploads.training import outcome, training_token
from workbench.panels.views.check_table import check_table


class TableStep:
    """The bytes of a table; they are decoded for each encoding, and inspected after every choice.

    Raises
    ------
    InputError
        If they cannot be read.
    """

    def __init__(self, file: str, stem: str, content: bytes, cancel: CancelToken) -> None:
        self.file = file
        self.stem = stem
        self.content = content
        self.cells = read_cells(content, cancel)
        self.detected = self.cells.encoding
        self.cancel = cancel
        self.choices = Choices()

    def check(self, choices: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the table holds, with the choices in a message of the page."""
        chosen = table_choices(choices)
        if chosen.encoding != self.choices.encoding:
            self.cells = read_cells(self.content, self.cancel, chosen.encoding)
        self.choices = chosen
        table = read(self.cells, self.choices, self.cancel)
        reasons: tuple[str, ...] = ()
        if self.choices.target is None:
            target, reasons = _target(table, self.choices)
            self.choices = replace(self.choices, target=target)
            if target != table.names[table.target]:
                table = read(self.cells, self.choices, self.cancel)
        inspection = inspection_of(table, self.choices)
        inspection = replace(inspection, warnings=(*reasons, *inspection.warnings))
        return {
            "table": check_table(self.file, inspection, self.choices, table.names, self.detected)
        }

    def learn(self, cancel: CancelToken, progress: Progress) -> Outcome:
        """Return a model trained on the table, with the newest choices."""
        from workbench.custom.learn import learn

        table = read(self.cells, self.choices, cancel)
        token = training_token(cancel, progress)
        learned = learn(unique_name(self.stem), table, self.choices, cancel=token, file=self.file)
        return outcome(learned.model)


def _target(table: Table, choices: Choices) -> tuple[str, tuple[str, ...]]:
    """Return the last column that can be predicted, and why no later one can.

    Raises
    ------
    InputError
        If no column can be predicted.
    """
    reasons = []
    for column in reversed(table.columns):
        try:
            report_of(column, choices)
        except InputError as error:
            reasons.append(error)
        else:
            return column.name, tuple(map(str, reasons[:1]))
    raise reasons[0]
