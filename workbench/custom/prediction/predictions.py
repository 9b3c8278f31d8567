"""Predictions for new rows, pictures or texts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.artifact.writing import write_atomic
from workbench.custom.prediction.spreadsheet import to_csv
from workbench.display import Displayable
from workbench.evaluation.counts import PredictionCounts
from workbench.i18n import _


@dataclass(frozen=True, eq=False)
class Predictions(Displayable):
    """What a file predicts for n new examples.

    Attributes
    ----------
    model : str
        The name of the file's model.
    target : str
        The name of the column that is predicted, or "class" for pictures.
    classes : tuple of str
        The class names; empty if numbers are predicted.
    values : array [n]
        int64 class indices, −1 where the outputs are not finite; or float64 numbers in the unit of
        the target.
    probabilities : array [n, classes]
        float64 probability of each class; [n, 0] if numbers are predicted.
    columns : mapping
        What was predicted from, by column, [n] each: the cells of a table as text, or names of
        files.
    sources : sequence
        Where the examples come from, [n]: the line of the file in which a row begins, counted from
        1, or the name of a picture.
    labels : array [n], optional
        The true values, like `values`, if the data contain them: −1 or NaN where one is missing or
        unknown.
    notes : tuple of str
        Sentences about columns that were missing, and cells that were not understood.
    """

    _plots = "predictions"

    model: str
    target: str
    classes: tuple[str, ...]
    values: NDArray[Any]
    probabilities: NDArray[np.float64]
    columns: Mapping[str, Sequence[Any]]
    sources: Sequence[int | str]
    labels: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Predictions of {self.target} by {self.model} for {len(self):,} examples>"

    @property
    def predicted(self) -> list[str] | list[float]:
        """The predicted class names, empty where outputs are not finite; or the numbers."""
        if not self.classes:
            return [float(value) for value in self.values]
        return [self.classes[index] if index >= 0 else "" for index in self.values]

    @property
    def figures(self) -> dict[str, float]:
        """The metrics on the examples whose true value is known; empty if there are none.

        For classes ``accuracy``, macro ``recall`` and macro ``f1``; for numbers the metrics of
        errors in the unit of the target, and ``r2``; and how many ``examples``.
        """
        if self.labels is None:
            return {}
        known = self.labels >= 0 if self.classes else np.isfinite(self.labels)
        count = int(known.sum())
        if not count:
            return {}
        labels, values = self.labels[known], self.values[known]
        if self.classes:
            counts = PredictionCounts.of(labels, values, len(self.classes), count)
            figures = {"accuracy": counts.accuracy, "recall": counts.recall, "f1": counts.f1}
        else:
            figures = _errors(labels, values)
        return {**figures, "examples": count}

    def _with_predictions(self) -> dict[str, Sequence[Any]]:
        """Return the columns, with those of the prediction and of the probabilities."""
        columns: dict[str, Sequence[Any]] = dict(self.columns)
        columns[_new_name(_("predicted {target}").format(target=self.target), columns)] = (
            self.predicted
        )
        for number, name in enumerate(self.classes):
            title = _new_name(_("probability of {name}").format(name=name), columns)
            columns[title] = self.probabilities[:, number].tolist()
        return columns

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each example: its columns, the prediction and the probabilities."""
        columns = self._with_predictions()
        return [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "model": self.model,
            "target": self.target,
            "classes": list(self.classes),
            "sources": list(self.sources),
            "predicted": [_finite(value) for value in self.predicted],
            "probabilities": [
                [_finite(value) for value in row] for row in self.probabilities.tolist()
            ],
            "figures": {name: _finite(value) for name, value in self.figures.items()},
            "notes": list(self.notes),
        }

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the rows as CSV, and write them to a file in UTF-8 if `path` is given.

        Numbers have all digits. Texts that a spreadsheet would run as a formula begin with an
        apostrophe.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        text = to_csv(self._with_predictions())
        if path is not None:
            # spreadsheets recognize UTF-8 by its mark only
            write_atomic(Path(path), text.encode("utf-8" if text.isascii() else "utf-8-sig"))
        return text


def _errors(labels: NDArray[np.float64], values: NDArray[np.float64]) -> dict[str, float]:
    errors, variance = values - labels, float(np.var(labels))
    squared = float(np.mean(np.square(errors)))
    return {
        "root mean squared error": math.sqrt(squared),
        "mean absolute error": float(np.mean(np.abs(errors))),
        "r2": 1 - squared / variance if variance else math.nan,
    }


def _finite(value: Any) -> Any:
    """Return None for a number that is not finite, which JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _new_name(name: str, columns: Mapping[str, Any]) -> str:
    """Return a column name that is not in use yet."""
    while name in columns:
        name += "'"
    return name
