"""Preprocessing that turns the columns of a table into the inputs and targets of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column, Format, Table
from workbench.custom.tables.features.categories import MAX_VALUES, CategoryFeatures
from workbench.custom.tables.features.dates import DateFeatures
from workbench.custom.tables.features.numbers import BINS, NumberFeatures
from workbench.custom.tables.features.texts import MAX_WORDS, TextFeatures
from workbench.custom.tables.inspection import COLUMN_TYPES
from workbench.custom.tables.plain_data import from_plain, to_plain
from workbench.custom.tables.relevance import relevance, standardized_targets
from workbench.custom.tables.take import empty_column, take
from workbench.custom.tables.target_encoding import Target
from workbench.custom.uploads.limits import TABLE_NUMBERS
from workbench.errors import ArtifactError

Features = NumberFeatures | CategoryFeatures | DateFeatures | TextFeatures
Rows = NDArray[np.int64]

MAX_STEPPED = 100
"""In tables with more columns of numbers than this, numbers have no step features."""
WEIGHED_ROWS = 20_000
"""The largest number of training rows from which the factor of a column is computed."""
KINDS: dict[str, type[Features]] = dict.fromkeys(COLUMN_TYPES, CategoryFeatures) | {
    "number": NumberFeatures,
    "date": DateFeatures,
    "text": TextFeatures,
}
"""The features of each type of column. A constant with missing cells is a category."""


@dataclass(frozen=True)
class ColumnFeatures:
    """One column that the model uses as an input.

    Attributes
    ----------
    name : str
        The name of the column.
    format : Format
        How its cells are read.
    features
        How its values become features.
    weight : float
        The factor of the features, above 0 and at most 1. It is below 1 if the column alone
        predicts the target poorly.
    """

    name: str
    format: Format
    features: Features
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.weight <= 1:
            raise ValueError("weight")

    def transform(self, column: Column) -> NDArray[np.float32]:
        """Return the features of all rows of a column, float32 [rows, features]."""
        return self.features.transform(column) * np.float32(self.weight)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, without values that are the defaults."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ColumnFeatures:
        """Inverse of `as_dict`."""
        name, weight = data["name"], data.get("weight", 1.0)
        known = data.keys() <= {"name", "format", "features", "weight"}
        if not known or type(name) is not str or type(weight) not in {int, float}:
            raise ValueError("column")
        features: Any = from_plain(KINDS[data["format"]["type"]], data["features"])
        return cls(name, from_plain(Format, data["format"]), features, float(weight))


@dataclass(frozen=True)
class Preprocessing:
    """How a table becomes inputs and targets, fitted on the training rows before training.

    It consists of plain data, which every file of the model contains.

    Attributes
    ----------
    columns : tuple of ColumnFeatures
        The columns that the model uses as inputs, in the order of the features.
    target : Target
        The column to predict.
    """

    columns: tuple[ColumnFeatures, ...]
    target: Target

    @classmethod
    def fit(
        cls,
        columns: Sequence[Column],
        rows: Rows,
        target: Target,
        labels: NDArray[Any],
        total: int,
    ) -> Preprocessing:
        """Fit the features of some columns on the training rows.

        Parameters
        ----------
        columns
            The columns to learn from.
        rows
            The indices of the training rows.
        target
            The column to predict.
        labels
            The targets of the training rows.
        total
            The rows of all splits, for the limit on the number of features.
        """
        numbers = sum(column.type in {"number", "date"} for column in columns)
        bins = BINS if numbers <= MAX_STEPPED else 0
        limits = _limits(columns, TABLE_NUMBERS // max(1, total) - numbers * (bins + 2))
        fitted = [
            _fitted(column, rows, bins, limit)
            for column, limit in zip(columns, limits, strict=True)
        ]
        candidates = sum(len(features.names) for features in fitted)
        step = -(-len(rows) // WEIGHED_ROWS)
        targets = standardized_targets(labels[::step], len(target.classes))
        return cls(
            tuple(
                ColumnFeatures(
                    column.name,
                    column.format,
                    features,
                    _weight(column, features, rows[::step], targets, candidates),
                )
                for column, features in zip(columns, fitted, strict=True)
            ),
            target,
        )

    @property
    def width(self) -> int:
        """The number of features."""
        return sum(len(column.features.names) for column in self.columns)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each feature, such as ``age``, ``age > 30`` and ``city: Paris``."""
        return tuple(
            _feature_name(column, name) for column in self.columns for name in column.features.names
        )

    def transform(self, table: Table, rows: Rows | None = None) -> NDArray[np.float32]:
        """Return the features of a table, float32 [rows, features].

        Columns are matched by name. If the table lacks a column, all its values count as missing.

        Parameters
        ----------
        table
        rows
            The indices of the rows; by default all rows.
        """
        by_name = {column.name: column for column in table.columns}
        count = len(table) if rows is None else len(rows)
        features = np.empty((count, self.width), np.float32)
        start = 0
        for fitted in self.columns:
            column = by_name.get(fitted.name) or empty_column(
                fitted.name, fitted.format, len(table)
            )
            stop = start + len(fitted.features.names)
            if stop > start:
                block = fitted.transform(column if rows is None else take(column, rows))
                features[:, start:stop] = block
            start = stop
        return features

    def content(self) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """Return the names and values from the table that a file of the model contains.

        Returns
        -------
        names : tuple of str
            The names of the columns, the target last.
        values : dict
            The categories, words or classes by the name of their column.
        """
        names = (*(column.name for column in self.columns), self.target.name)
        values: dict[str, tuple[str, ...]] = {}
        for column in self.columns:
            if isinstance(column.features, CategoryFeatures):
                values[column.name] = column.features.values
            elif isinstance(column.features, TextFeatures):
                values[column.name] = column.features.words
        if self.target.classes:
            values[self.target.name] = self.target.classes
        return names, values

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "columns": [column.as_dict() for column in self.columns],
            "target": to_plain(self.target),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preprocessing:
        """Inverse of `as_dict`.

        Raises
        ------
        ArtifactError
            If `data` are not what `as_dict` returns.
        """
        try:
            return cls(
                tuple(map(ColumnFeatures.from_dict, data["columns"])),
                from_plain(Target, data["target"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise ArtifactError(
                "The file's preprocessing is damaged: download or save the file again.",
                code="artifact.invalid_preprocessing",
            ) from None


def _limits(columns: Sequence[Column], room: int) -> list[int]:
    """Return the largest number of features of each category and text; 0 for other columns.

    Columns with few values take what they need, the others share the rest.
    """
    needs = {
        index: MAX_WORDS if column.type == "text" else min(MAX_VALUES, len(column.words))
        for index, column in enumerate(columns)
        if column.type not in {"number", "date"}
    }
    limits = [0] * len(columns)
    for position, index in enumerate(sorted(needs, key=lambda index: needs[index])):
        limits[index] = max(1, min(needs[index], room // (len(needs) - position)))
        room -= limits[index]
    return limits


def _fitted(column: Column, rows: Rows, bins: int, limit: int) -> Features:
    match column.type:
        case "number":
            return NumberFeatures.fit(column, rows, bins)
        case "date":
            return DateFeatures.fit(column, rows)
        case "text":
            return TextFeatures.fit(column, rows, limit)
    return CategoryFeatures.fit(column, rows, limit)


def _weight(
    column: Column,
    features: Features,
    rows: Rows,
    targets: NDArray[np.float64],
    candidates: int,
) -> float:
    """Return the factor of the features of a column: 1 for texts, which have many features."""
    if isinstance(features, TextFeatures) or not features.names:
        return 1.0
    return relevance(features.transform(take(column, rows)), targets, candidates)


def _feature_name(column: ColumnFeatures, name: str) -> str:
    if not name:
        return column.name
    is_word = isinstance(column.features, CategoryFeatures | TextFeatures)
    return f"{column.name}: {name}" if is_word else f"{column.name} {name}"
