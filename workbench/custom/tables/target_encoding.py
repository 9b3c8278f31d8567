"""The column to predict: classes, or a number in its own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column, Format
from workbench.custom.tables.parse import category_key
from workbench.custom.tables.target import classes_of


@dataclass(frozen=True)
class Target:
    """How the network's outputs are classes, or a number in the unit of its column.

    Attributes
    ----------
    name : str
        The name of the column.
    format : Format
        How its cells are read.
    classes : tuple of str
        The names of the classes, sorted; empty for a number.
    mean, scale : float
        Of a number: mean and standard deviation of the training rows. The network's output is
        ``(number - mean) / scale``.
    """

    name: str
    format: Format
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ValueError("scale")

    @classmethod
    def of_classes(cls, column: Column, rows: NDArray[np.int64]) -> Target:
        """Return the classes that occur in some rows of a column."""
        codes, names = classes_of(column)
        return cls(column.name, column.format, tuple(names[c] for c in np.unique(codes[rows])))

    @classmethod
    def of_number(cls, column: Column, rows: NDArray[np.int64]) -> Target:
        """Fit mean and standard deviation on the training rows of a column."""
        assert column.numbers is not None
        numbers = column.numbers[rows]
        return cls(
            column.name, column.format, (), float(numbers.mean()), float(numbers.std()) or 1.0
        )

    def labels(self, column: Column, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return the targets of some rows: int64 classes, or standardized float32 numbers.

        Spellings of a class that differ in case or spaces only are the same class. An unknown or
        missing class is −1, a missing number is NaN.
        """
        if not self.classes:
            assert column.numbers is not None
            return ((column.numbers[rows] - self.mean) / self.scale).astype(np.float32)
        positions = {category_key(name): number for number, name in enumerate(self.classes)}
        codes, names = classes_of(column)
        known = [positions.get(category_key(name), -1) for name in names]
        return np.array([*known, -1], np.int64)[codes[rows]]
