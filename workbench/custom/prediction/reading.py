"""How the cells of new rows are read, which may differ from the training rows."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.custom.tables.cells import Cells
from workbench.custom.tables.column import Format


@dataclass(frozen=True)
class Reading:
    """How the cells of a new column are read.

    Attributes
    ----------
    cells : Cells
        The cells.
    format : Format
        How they are read: as in training, or with another order or other separators.
    note : str
        A sentence if they are read differently or may be meant so, else empty.
    """

    cells: Cells
    format: Format
    note: str = ""
