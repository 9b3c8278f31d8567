"""Progressive accuracy: a first estimate from a random sample, then more, then all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from torch import Tensor

from workbench.errors import Cancelled
from workbench.evaluation.judge import BATCH, predict
from workbench.evaluation.sieve import Sieve
from workbench.evaluation.tally import Tally
from workbench.zoo import Model, Split

FIRST = 256
LOOKS = (FIRST, 1200, 2800)
"""After how many examples an estimate is published; the last look is at all of them."""


def accuracy(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    bfloat16: bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Tally]:
    """Yield tallies over growing random samples of `split`, the last one over all of it.

    The order is drawn anew for each `seed`, so that the interval of a sample covers the whole
    as often as it says, whatever was measured before. `bfloat16` is the sieve's: whether to try
    it, or None to find out what is faster.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two batches.
    """
    order = np.random.default_rng(seed).permutation(len(split))
    classes = len(model.task.classes)
    predicted = np.zeros(len(split), np.int64)
    sieve = Sieve(model, weights, bfloat16=bfloat16)
    start = 0
    for look in (*[n for n in LOOKS if n < len(split)], len(split)):
        while start < look:
            if cancelled():
                raise Cancelled("Measuring was stopped.")
            stop = min(start + (FIRST if start == 0 else BATCH), look)
            images = split.images[order[start:stop]]
            found = sieve.first(images) if start == 0 else sieve.predict(images)
            predicted[start:stop] = found
            start = stop
        labels = split.labels[order[:look]]
        yield Tally.of(labels, predicted[:look], classes, len(split))
        if start == FIRST:
            sieve.calibrate()  # after the first estimate is out: it need not wait for this


def judged(model: Model, weights: Mapping[str, Tensor], split: Split) -> Tally:
    """Return the tally of the whole `split` by the judge itself, no sieve."""
    predicted = predict(model, weights, split.images)
    return Tally.of(split.labels, predicted, len(model.task.classes), len(split))
