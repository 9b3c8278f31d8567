"""Accuracy when a single layer changes: the part of the network before it runs only once.

The predictions are the reference predictions, as on any fast path.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.evaluation.batch_size import batch_size_for, first_sample_size
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.reference import Predictions
from workbench.runtime.batch import Batch
from workbench.runtime.cut import cut
from workbench.threads import parallel_map

SEED = 0
"""Seed of the order of the examples; the first ones calibrate the bfloat16 fast path."""


class LayerEvaluator:
    """Evaluates changes of one layer on cached inputs of that layer.

    The inputs are float32: 5,000 images take up to about 130 MB for the built-in models.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """

    def __init__(
        self,
        model: Model,
        layer: str,
        split: str = "validation",
        cancel: CancelToken = NEVER,
    ) -> None:
        data = model.task.split(split)
        order = np.random.default_rng(SEED).permutation(len(data))
        self.model = model
        self.layer = layer
        self._cancel = cancel
        self._examples, self._labels = data.examples[order], data.labels[order]
        self._first, self._batch = min(first_sample_size(model), len(data)), batch_size_for(model)
        self._inputs = Batch.concatenate([*parallel_map(self._layer_inputs, self._batches(0))])

    def evaluate(self, weights: Mapping[str, Tensor]) -> PredictionCounts:
        """Count the predictions on the full split for `weights` that differ in this layer only.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two batches.
        """
        originals = self.model.weights()
        assert all(torch.equal(w, originals[n]) for n, w in weights.items() if n != self.layer)
        fast_path = FastPath(self.model, weights, layer=self.layer)
        self._check()
        first = slice(0, self._first)
        predictions = [fast_path.first(self._examples[first], self._inputs[first])]
        fast_path.calibrate()

        def predict(batch: slice) -> Predictions:
            self._check()
            return fast_path.predict(self._examples[batch], self._inputs[batch])

        predictions += parallel_map(predict, self._batches(self._first))
        classes, total = len(self.model.task.classes), len(self._labels)
        return PredictionCounts.of(self._labels, np.concatenate(predictions), classes, total)

    def _layer_inputs(self, batch: slice) -> Batch:
        self._check()
        inputs = Batch.in_channels_last(self.model.task.inputs(self._examples[batch]))
        return cut(self.model, self.layer).head(self.model.weights(), inputs)

    def _batches(self, start: int) -> list[slice]:
        return [slice(i, i + self._batch) for i in range(start, len(self._labels), self._batch)]

    def _check(self) -> None:
        self._cancel.check()
