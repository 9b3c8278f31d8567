"""A table as text: its cells by column, before their types are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column


@dataclass(frozen=True, eq=False)
class TextTable:
    """The cells of a file or frame.

    Attributes
    ----------
    first : tuple of str, optional
        The cells of the first line if it may be names or data; None if `names` are known.
    names : tuple of str
        The names of the columns if the first line holds them.
    columns : tuple of sequences of str
        The cells after the first line, without surrounding spaces, by column.
    lines : ndarray of int64
        The line of the file in which each row begins, [rows].
    first_line : int
        The line of the first row.
    encoding, delimiter : str
        As chosen or detected.
    header, header_is_sure : bool
        Whether the first line holds names, and whether that is sure.
    warnings : tuple of str
        Sentences about the encoding and about lines that were left out.
    roles : tuple of str
        The roles of the columns in lower case, such as "class", if the file names them.
    numeric : frozenset of int
        The columns of a frame that hold numbers with decimals: these have a decimal point, and no
        separators of thousands.
    typed : dict
        The columns with their types, with and without names, once they were read.
    """

    first: tuple[str, ...] | None
    names: tuple[str, ...]
    columns: tuple[Sequence[str], ...]
    lines: NDArray[np.int64]
    first_line: int = 1
    encoding: str = "UTF-8"
    delimiter: str = ","
    header: bool = True
    header_is_sure: bool = True
    warnings: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    numeric: frozenset[int] = frozenset()
    typed: dict[bool, list[Column]] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        return len(self.lines)
