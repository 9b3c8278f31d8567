"""Evaluate the most decisive examples first, and stop when a file certainly cannot be better.

A file is compared with a rival that is at most as large and exactly measured. It can be better only
by predicting examples correctly that the rival does not, so these come first, then the others by
the original network's margin, the smallest first: compression changes these predictions. As soon as
the correct predictions and all examples not yet seen add up to no more than the rival's correct
predictions, the file is dominated with certainty, not only with a high probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.artifact.module_spec import UNCHANGED
from workbench.cache.memory import MemoryCache
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model, Split
from workbench.evaluation.batch_size import batch_size_for
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.fast_path import FastPath
from workbench.runtime.shell import shell
from workbench.threads import parallel_map

Numbers = NDArray[np.int64]

_difficulties: MemoryCache[Numbers] = MemoryCache(8)


@dataclass(frozen=True)
class Count:
    """The correct predictions among the examples seen so far.

    Attributes
    ----------
    examples : int
        How many examples were evaluated.
    counts : PredictionCounts or None
        The predictions on the full split; None if the evaluation ended early.
    """

    examples: int
    counts: PredictionCounts | None

    @property
    def bits(self) -> bytes:
        """A bit for each example that was predicted correctly; empty if it ended early."""
        if self.counts is None:
            return b""
        return np.packbits(self.counts.labels == self.counts.predicted).tobytes()


def can_eliminate(model: Model) -> bool:
    """Whether single predictions decide the metric, and do not depend on the batch."""
    return model.task.metric.counts == "classes" and model.architecture.traits.float64


def count_until(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    first: Numbers,
    rival: bytes,
    enough: int,
    cancel: CancelToken = NEVER,
) -> Count:
    """Count correct predictions until at most `enough` are possible, or all examples are seen.

    Parameters
    ----------
    model, weights, split
        The network with the spec of the file, its decoded weights, and the labeled examples.
    first
        Indices of the examples to begin with, int64 [n].
    rival
        The bits of the rival's correct predictions; empty if unknown.
    enough
        The rival's number of correct predictions; -1 evaluates everything.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    labels = np.asarray(split.labels, np.int64)
    predicted = np.full(len(split), -1, np.int64)
    fast_path = FastPath(model, weights)
    cancel.check()
    predicted[first] = fast_path.first(split.examples[first])
    fast_path.calibrate()
    rest = _order(model, split, rival)
    rest = rest[~np.isin(rest, first)]
    correct, seen = int((predicted[first] == labels[first]).sum()), len(first)
    size = batch_size_for(model)
    parts = [rest[start : start + size] for start in range(0, len(rest), size)]
    cores = torch.get_num_threads()

    def predict(indices: Numbers) -> Numbers:
        cancel.check()
        return fast_path.predict(split.examples[indices])

    for start in range(0, len(parts), cores):
        if correct + len(split) - seen <= enough:
            return Count(seen, None)
        group = parts[start : start + cores]
        for indices, classes in zip(group, parallel_map(predict, group), strict=True):
            predicted[indices] = classes
            correct += int((classes == labels[indices]).sum())
            seen += len(indices)
    counts = PredictionCounts.of(labels, predicted, len(model.task.classes), len(split))
    return Count(seen, counts)


def _order(model: Model, split: Split, rival: bytes) -> Numbers:
    """Return all indices: the rival's errors, then by the margin of the original network."""
    by_margin = _difficulties.of(
        (model.architecture.key, split.name),
        lambda: np.argsort(_margins(model, split), kind="stable"),
        model.architecture.lifetime,
    )
    if not rival:
        return by_margin
    right = np.unpackbits(np.frombuffer(rival, np.uint8), count=len(split))
    return by_margin[np.argsort(right[by_margin], kind="stable")]


def _margins(model: Model, split: Split) -> NDArray[np.float32]:
    """Return how far the original's output for the label leads, float32 [n]; only for ordering."""
    original = replace(model, spec=UNCHANGED)
    weights, size = original.weights(), batch_size_for(original)
    labels = torch.as_tensor(np.asarray(split.labels, np.int64))

    def run(start: int) -> Any:
        indices = np.arange(start, min(start + size, len(split)))
        outputs = shell(original)(weights, original.task.inputs(split.examples[indices])).clone()
        rows = torch.arange(len(indices))
        target = outputs[rows, labels[indices]].clone()
        outputs[rows, labels[indices]] = -torch.inf
        return (target - outputs.amax(dim=1)).numpy()

    margins: NDArray[np.float32] = np.concatenate([*parallel_map(run, range(0, len(split), size))])
    return margins
