"""Counting predictions while they come in: accuracy with its interval, recall, F1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.errors import WorkbenchError
from workbench.evaluation.intervals import split_bounds, wilson

Numbers = NDArray[np.int64]


MAX_DENSE_CLASSES = 4096
"""Classes of the largest matrix that is made: 134 MB. Its size grows with their square."""


@dataclass(frozen=True, eq=False)
class PredictionCounts:
    """What has been counted of a split.

    `labels` and `predicted` are int64 [n], numbers of `classes`, of the n examples judged so far
    of `total`. An example without a prediction, less than 0, is wrong; it is in no cell of the
    confusion matrix and in no pair.
    """

    labels: Numbers
    predicted: Numbers
    classes: int
    total: int

    @classmethod
    def of(
        cls, labels: NDArray[np.integer], predicted: Numbers, classes: int, total: int
    ) -> PredictionCounts:
        """Count `predicted` against `labels`."""
        return cls(labels.astype(np.int64), predicted, classes, total)

    @property
    def confusion(self) -> Numbers:
        """The counts, int64 [classes, classes], true class by predicted class.

        Raises
        ------
        WorkbenchError
            When there are more than `MOST_DENSE` classes.
        """
        if self.classes > MAX_DENSE_CLASSES:
            raise WorkbenchError(
                f"A confusion matrix of {self.classes:,} classes does not fit into memory: use "
                "pairs, which counts only what occurs."
            )
        counts = np.bincount(self._cells, minlength=self.classes**2)
        return counts.reshape(self.classes, self.classes)

    @property
    def pairs(self) -> Numbers:
        """The counts that are not zero, int64 [pairs, 3]: true class, predicted class, count."""
        cells, counts = np.unique(self._cells, return_counts=True)
        return np.stack([*divmod(cells, self.classes), counts], axis=1)

    @property
    def not_finite(self) -> int:
        """How many have no prediction."""
        return int(np.count_nonzero(self.predicted < 0))

    @property
    def _cells(self) -> Numbers:
        found = self.predicted >= 0
        return self.labels[found] * self.classes + self.predicted[found]

    @property
    def examples(self) -> int:
        """How many examples have been judged."""
        return len(self.labels)

    @cached_property
    def correct(self) -> int:
        """How many of them were right."""
        return int(np.count_nonzero(self.labels == self.predicted))

    @property
    def exact(self) -> bool:
        """Whether the whole split has been judged."""
        return self.examples == self.total

    @property
    def accuracy(self) -> float:
        """The share of right ones among those judged, 0 to 1."""
        return self.correct / self.examples

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval that bounds the whole split's accuracy at 95 %; closed when exact."""
        low, high = split_bounds(self.correct, self.examples, self.total)
        return low / self.total, high / self.total

    @property
    def population(self) -> tuple[float, float]:
        """The Wilson 95 % interval of the accuracy on new examples."""
        return wilson(self.correct, self.examples)

    @property
    def recalls(self) -> NDArray[np.float64]:
        """The share found of each class, float64 [classes]; NaN for a class without an example."""
        hits, actual, _said = self._per_class
        with np.errstate(invalid="ignore"):
            shares: NDArray[np.float64] = hits / actual
        return shares

    @property
    def recall(self) -> float:
        """The macro recall: the mean over the classes seen of the share of each found."""
        hits, actual, _said = self._per_class
        seen = actual > 0
        return float(np.mean(hits[seen] / actual[seen]))

    @property
    def f1(self) -> float:
        """The macro F1: the mean over the classes seen of 2·TP / (2·TP + FP + FN)."""
        hits, actual, said = self._per_class
        seen = actual > 0
        return float(np.mean(2 * hits[seen] / (said + actual)[seen]))

    @cached_property
    def _per_class(self) -> tuple[Numbers, Numbers, Numbers]:
        """How many of each class were found, are there, and were predicted, int64 [classes]."""
        right = self.labels[self.labels == self.predicted]
        predicted = self.predicted[self.predicted >= 0]
        hits, actual, said = (
            np.bincount(found, minlength=self.classes) for found in (right, self.labels, predicted)
        )
        return hits, actual, said
