"""Counting predictions while they come in: accuracy with its interval, recall, F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.evaluation.intervals import split_bounds, wilson


@dataclass(frozen=True)
class Tally:
    """What has been counted of a split.

    `confusion` is int64 [classes, classes], true class by predicted class, over the `examples`
    judged so far of `total`.
    """

    confusion: NDArray[np.int64]
    total: int

    @classmethod
    def of(
        cls, labels: NDArray[np.integer], predicted: NDArray[np.int64], classes: int, total: int
    ) -> Tally:
        """Count `predicted` against `labels`."""
        cells = labels.astype(np.int64) * classes + predicted
        counts = np.bincount(cells, minlength=classes * classes)
        return cls(counts.reshape(classes, classes), total)

    @property
    def examples(self) -> int:
        """How many examples have been judged."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """How many of them were right."""
        return int(np.trace(self.confusion))

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
    def recall(self) -> float:
        """The macro recall: the mean over the classes seen of the share of each found."""
        return float(np.mean(self._per_class(axis=1)))

    @property
    def f1(self) -> float:
        """The macro F1: the mean over the classes seen of 2·TP / (2·TP + FP + FN)."""
        hits = np.diag(self.confusion)
        both = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        seen = self.confusion.sum(axis=1) > 0
        return float(np.mean(2 * hits[seen] / both[seen]))

    def _per_class(self, axis: int) -> NDArray[np.float64]:
        whole = self.confusion.sum(axis=axis)
        seen = whole > 0
        shares: NDArray[np.float64] = np.diag(self.confusion)[seen] / whole[seen]
        return shares
