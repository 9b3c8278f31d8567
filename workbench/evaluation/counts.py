"""Counts of predictions: accuracy with its confidence interval, recall, F1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.evaluation.intervals import split_bounds, wilson

Numbers = NDArray[np.int64]


MAX_DENSE_CLASSES = 4096
"""Classes of the largest dense confusion matrix: 134 MB. Memory grows with the square."""


@dataclass(frozen=True, eq=False)
class PredictionCounts:
    """Predictions on a split, in full or so far.

    `labels` and `predicted` are int64 arrays of shape [n] with class indices below `classes`, for n
    of `total` examples. A negative prediction means that there is none: the example counts as wrong
    and is in no cell of the confusion matrix.
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
        """The confusion matrix, int64 of shape [classes, classes]: true by predicted class.

        Raises
        ------
        InputError
            If there are more than `MAX_DENSE_CLASSES` classes.
        """
        if self.classes > MAX_DENSE_CLASSES:
            raise InputError(
                f"A confusion matrix of {self.classes:,} classes does not fit into memory: use "
                "pairs, which holds only nonzero counts.",
                code="metric.too_many_classes",
            )
        counts = np.bincount(self._cells, minlength=self.classes**2)
        return counts.reshape(self.classes, self.classes)

    @property
    def pairs(self) -> Numbers:
        """The nonzero counts, int64 of shape [pairs, 3]: true class, predicted class, count."""
        cells, counts = np.unique(self._cells, return_counts=True)
        return np.stack([*divmod(cells, self.classes), counts], axis=1)

    @property
    def not_finite(self) -> int:
        """The number of examples without a prediction."""
        return int(np.count_nonzero(self.predicted < 0))

    @property
    def _cells(self) -> Numbers:
        valid = self.predicted >= 0
        return self.labels[valid] * self.classes + self.predicted[valid]

    @property
    def examples(self) -> int:
        """The number of evaluated examples."""
        return len(self.labels)

    @cached_property
    def correct(self) -> int:
        """The number of correct predictions."""
        return int(np.count_nonzero(self.labels == self.predicted))

    @property
    def exact(self) -> bool:
        """Whether the full split has been evaluated."""
        return self.examples == self.total

    @property
    def accuracy(self) -> float:
        """The fraction of correct predictions so far, 0 to 1."""
        return self.correct / self.examples

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % confidence interval of the accuracy on the full split; zero width if exact."""
        low, high = split_bounds(self.correct, self.examples, self.total)
        return low / self.total, high / self.total

    @property
    def population(self) -> tuple[float, float]:
        """The Wilson 95 % interval of the accuracy on new examples."""
        return wilson(self.correct, self.examples)

    @property
    def recalls(self) -> NDArray[np.float64]:
        """The recall of each class, float64 of shape [classes]; NaN if a class has no examples."""
        hits, actual, _predictions = self._per_class
        with np.errstate(invalid="ignore"):
            recalls: NDArray[np.float64] = hits / actual
        return recalls

    @property
    def recall(self) -> float:
        """The macro recall: the mean recall of the classes that have examples."""
        hits, actual, _predictions = self._per_class
        present = actual > 0
        return float(np.mean(hits[present] / actual[present]))

    @property
    def f1(self) -> float:
        """The macro F1: the mean of 2·TP / (2·TP + FP + FN) over the classes that have examples."""
        hits, actual, predictions = self._per_class
        present = actual > 0
        return float(np.mean(2 * hits[present] / (predictions + actual)[present]))

    @cached_property
    def _per_class(self) -> tuple[Numbers, Numbers, Numbers]:
        """True positives, examples and predictions of each class, int64 of shape [classes]."""
        correct = self.labels[self.labels == self.predicted]
        predicted = self.predicted[self.predicted >= 0]
        hits, actual, predictions = (
            np.bincount(classes, minlength=self.classes)
            for classes in (correct, self.labels, predicted)
        )
        return hits, actual, predictions
