"""Progressive evaluation: estimates from growing random samples, then the full split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model, Split
from workbench.evaluation.batch_size import batch_size_for, first_sample_size
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.reference import Predictions, predict
from workbench.threads import parallel_map

Indices = NDArray[np.int64]

ESTIMATE_BATCHES = (4, 10)
"""Batch counts at which an estimate is yielded, before the final one of the full split."""


def iter_counts(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    bfloat16: bool | None = None,
    cancel: CancelToken = NEVER,
) -> Iterator[PredictionCounts]:
    """Yield counts over growing random samples of `split`, the last one over the full split.

    Parameters and errors are those of `iter_predictions`.
    """
    classes = len(model.task.classes)
    for indices, predicted in iter_predictions(
        model, weights, split, seed=seed, bfloat16=bfloat16, cancel=cancel
    ):
        yield PredictionCounts.of(split.labels[indices], predicted, classes, len(split))


def iter_predictions(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    bfloat16: bool | None = None,
    cancel: CancelToken = NEVER,
) -> Iterator[tuple[Indices, Predictions]]:
    """Yield the indices of the examples evaluated so far and their classes; finally all of them.

    Each `seed` gives an independent random order, so that the intervals have their nominal
    coverage. `bfloat16` is passed to `FastPath`.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    first, batch = min(first_sample_size(model), len(split)), batch_size_for(model)
    estimates_at = {first + count * batch for count in ESTIMATE_BATCHES}
    order = np.random.default_rng(seed).permutation(len(split))
    predicted = np.zeros(len(split), np.int64)
    fast_path = FastPath(model, weights, bfloat16=bfloat16)
    float32_only = not model.architecture.traits.float64  # results depend on the batches

    def predict_batch(indices: Indices) -> Predictions:
        cancel.check()
        return fast_path.predict(split.examples[indices])

    cancel.check()
    predicted[:first] = fast_path.first(split.examples[order[:first]])
    yield order[:first], predicted[:first]
    if float32_only and first < len(split):
        yield order, predict(model, weights, split.examples, cancel=cancel)[order]
        return
    fast_path.calibrate()  # after the first estimate, so as not to delay it
    starts = range(first, len(split), batch)
    batches = [order[start : start + batch] for start in starts]
    for start, classes in zip(starts, parallel_map(predict_batch, batches), strict=True):
        stop = start + len(classes)
        predicted[start:stop] = classes
        if stop in estimates_at or stop == len(split):
            yield order[:stop], predicted[:stop]


def reference_counts(model: Model, weights: Mapping[str, Tensor], split: Split) -> PredictionCounts:
    """Return the counts of the full `split` by the reference evaluation, without a fast path."""
    predicted = predict(model, weights, split.examples)
    return PredictionCounts.of(split.labels, predicted, len(model.task.classes), len(split))
