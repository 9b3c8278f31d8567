"""Accuracy where a single layer has changed: what comes before it is computed once.

The predictions are the judge's, as those of any sieve; only the work is less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from workbench.domain import Model
from workbench.errors import Cancelled
from workbench.evaluation.batch_size import batch_size_for, first_sample_size
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.reference import Predictions
from workbench.runtime.batch import Batch
from workbench.runtime.cut import cut
from workbench.threads import parallel_map

SEED = 0
"""Of the order of the examples, whose first ones say how far bfloat16 can be believed."""


class LayerEvaluator:
    """The examples of a split as they arrive at one layer of the original model.

    They are held in float32, so that a split of 5,000 images takes up to about 130 MB for the
    built-in models.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two batches.
    """

    def __init__(
        self,
        model: Model,
        layer: str,
        split: str = "validation",
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        data = model.task.split(split)
        order = np.random.default_rng(SEED).permutation(len(data))
        self.model = model
        self.layer = layer
        self._cancelled = cancelled
        self._examples, self._labels = data.examples[order], data.labels[order]
        self._first, self._batch = min(first_sample_size(model), len(data)), batch_size_for(model)
        self._passed = Batch.concatenate([*parallel_map(self._pass, self._batches(0))])

    def tally(self, weights: Mapping[str, Tensor]) -> PredictionCounts:
        """Return the tally of the whole split for `weights` that differ in the layer alone.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True between two batches.
        """
        originals = self.model.weights()
        assert all(torch.equal(w, originals[n]) for n, w in weights.items() if n != self.layer)
        sieve = FastPath(self.model, weights, layer=self.layer)
        self._check()
        first = slice(0, self._first)
        found = [sieve.first(self._examples[first], self._passed[first])]
        sieve.calibrate()

        def predict(batch: slice) -> Predictions:
            self._check()
            return sieve.predict(self._examples[batch], self._passed[batch])

        found += parallel_map(predict, self._batches(self._first))
        classes, total = len(self.model.task.classes), len(self._labels)
        return PredictionCounts.of(self._labels, np.concatenate(found), classes, total)

    def _pass(self, batch: slice) -> Batch:
        self._check()
        inputs = Batch.in_channels_last(self.model.task.inputs(self._examples[batch]))
        return cut(self.model, self.layer).head(self.model.weights(), inputs)

    def _batches(self, start: int) -> list[slice]:
        return [slice(at, at + self._batch) for at in range(start, len(self._labels), self._batch)]

    def _check(self) -> None:
        if self._cancelled():
            raise Cancelled("Measuring was stopped.")
