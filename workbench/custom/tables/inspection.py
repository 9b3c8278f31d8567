"""What is found in a table before training, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from workbench.custom.tables.as_text import as_text
from workbench.display import Displayable
from workbench.errors import InputError
from workbench.i18n import _, mark as N_

COLUMN_TYPES = (
    N_("number"),
    N_("category"),
    N_("date"),
    N_("text"),
    N_("identifier"),
    N_("constant"),
    N_("empty"),
)

MISSING_CHOICES = ("impute", "leave_out")


@dataclass(frozen=True)
class Choices:
    """What a user chooses about a table; the defaults follow from the table itself.

    Attributes
    ----------
    target : str, optional
        The name of the column to predict; by default the last one.
    as_number : bool, optional
        Predict the target as a number (True) or as classes (False).
    leave_out : tuple of str
        The names of columns that are not used.
    header : bool, optional
        Whether the first line holds names (True) or data (False).
    missing : str
        "impute" missing values, or "leave_out" the rows that have one.
    leave_out_rare : bool
        Leave out the rows of classes that have too few examples.
    encoding : str, optional
        The encoding of the text, such as "cp1252"; by default it is found.
    """

    target: str | None = None
    as_number: bool | None = None
    leave_out: tuple[str, ...] = ()
    header: bool | None = None
    missing: str = "impute"
    leave_out_rare: bool = False
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.missing not in MISSING_CHOICES:
            raise InputError(
                _("“{value}” is not a choice for missing values: use impute or leave_out.").format(
                    value=self.missing
                ),
                code="table.invalid_choice",
            )


@dataclass(frozen=True)
class Cell:
    """A cell that was not understood: its text and the line of the file that it is in."""

    line: int
    text: str


@dataclass(frozen=True)
class ColumnReport:
    """One column.

    Attributes
    ----------
    name : str
        Its name; columns without one are called "column 3".
    type : str
        One of `COLUMN_TYPES`.
    distinct : int
        Different values.
    missing : int
        Empty cells, and cells that say that a value is missing.
    unreadable : int
        Cells that do not fit the type and are treated as missing.
    examples : tuple of Cell
        The first three of these.
    used : bool
        Whether the model learns from it.
    note : str
        Why it is not used; or, if it is used, what happens to its missing values. May be empty.
    """

    name: str
    type: str
    distinct: int
    missing: int
    unreadable: int
    examples: tuple[Cell, ...]
    used: bool
    note: str


@dataclass(frozen=True)
class TargetReport:
    """The column to predict.

    Attributes
    ----------
    name : str
        Its name.
    as_number : bool
        Whether it is predicted as a number, else as classes.
    can_be_number, can_be_classes : bool
        What may be chosen.
    classes : mapping
        The number of rows of each class, the most frequent first; empty for a number.
    rare : tuple of str
        Classes with too few rows for three splits.
    """

    name: str
    as_number: bool
    can_be_number: bool
    can_be_classes: bool
    classes: Mapping[str, int]
    rare: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Inspection(Displayable):
    """A table as it will be read.

    Attributes
    ----------
    rows_read, rows_used : int
        Rows of the table, and those that remain for learning.
    encoding, delimiter : str
        As chosen or detected.
    header : bool
        Whether the first line holds names.
    header_is_sure : bool
        False if the first line may be names or data.
    columns : tuple of ColumnReport
        All columns except the target, in the order of the table.
    target : TargetReport
        The column to predict.
    warnings : tuple of str
        Sentences about the table, the most important first.
    leaks : tuple of str
        The names of the columns that alone predict the target.
    """

    _plots: ClassVar[str] = "inspection"

    rows_read: int
    rows_used: int
    encoding: str
    delimiter: str
    header: bool
    header_is_sure: bool
    columns: tuple[ColumnReport, ...]
    target: TargetReport
    warnings: tuple[str, ...]
    leaks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        return as_text(self.as_dict())
