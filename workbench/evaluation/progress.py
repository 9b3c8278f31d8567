"""Progressive accuracy: a first estimate from a random sample, then more, then all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workbench.domain import Model, Split
from workbench.errors import Cancelled
from workbench.evaluation.batch_size import batch_size_for, first_sample_size
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.reference import Predictions, predict
from workbench.threads import parallel_map

Numbers = NDArray[np.int64]

ESTIMATE_BATCHES = (4, 10)
"""After how many batches another estimate is published; the last look is at all of them."""


def iter_counts(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    bfloat16: bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[PredictionCounts]:
    """Yield tallies over growing random samples of `split`, the last one over all of it.

    The parameters and what is raised are those of `iter_predictions`.
    """
    classes = len(model.task.classes)
    seen = iter_predictions(
        model, weights, split, seed=seed, bfloat16=bfloat16, cancelled=cancelled
    )
    for numbers, predicted in seen:
        yield PredictionCounts.of(split.labels[numbers], predicted, classes, len(split))


def iter_predictions(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    bfloat16: bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Numbers, Predictions]]:
    """Yield the numbers of the examples judged so far and their classes, at last those of all.

    The order is drawn anew for each `seed`, so that the interval of a sample covers the whole
    as often as it says, whatever was measured before. `bfloat16` is the sieve's: whether to try
    it, or None to find out what is faster.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two batches.
    """
    first, batch = min(first_sample_size(model), len(split)), batch_size_for(model)
    looks = {first + many * batch for many in ESTIMATE_BATCHES}
    order = np.random.default_rng(seed).permutation(len(split))
    predicted = np.zeros(len(split), np.int64)
    sieve = FastPath(model, weights, bfloat16=bfloat16)
    exact_alone = not model.architecture.traits.float64  # the bits depend on the batches

    def predict_batch(numbers: Numbers) -> Predictions:
        if cancelled():
            raise Cancelled("Measuring was stopped.")
        return sieve.predict(split.examples[numbers])

    if cancelled():
        raise Cancelled("Measuring was stopped.")
    predicted[:first] = sieve.first(split.examples[order[:first]])
    yield order[:first], predicted[:first]
    if exact_alone and first < len(split):
        everything = predict(model, weights, split.examples, cancelled=cancelled)
        yield order, everything[order]
        return
    sieve.calibrate()  # after the first estimate is out: it need not wait for this
    starts = range(first, len(split), batch)
    batches = [order[start : start + batch] for start in starts]
    for start, found in zip(starts, parallel_map(predict_batch, batches), strict=True):
        stop = start + len(found)
        predicted[start:stop] = found
        if stop in looks or stop == len(split):
            yield order[:stop], predicted[:stop]


def reference_counts(model: Model, weights: Mapping[str, Tensor], split: Split) -> PredictionCounts:
    """Return the tally of the whole `split` by the judge itself, no sieve."""
    predicted = predict(model, weights, split.examples)
    return PredictionCounts.of(split.labels, predicted, len(model.task.classes), len(split))
