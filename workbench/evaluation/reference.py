"""The judge: the one definition of what a model predicts.

It runs on the CPU in float32, eager, contiguous, in fixed batches of 250, the last one padded.
Where the two best outputs are closer than 1e-3 · max(1, |best|), float32 rounding could decide,
so that example is judged again in float64; outputs that still tie go to the lowest class. The
answer is then the same for every batch size, thread count and instruction set.

Where a file rounds the inputs of its layers, float32's small differences would end in other codes:
such a file is judged in float64 throughout, its products of codes exact as integers are.

Where the best output of an example is NaN or infinite, and NaN counts as best, the network has no
prediction for it: the class is `NONE`, which no label is, so the example counts as wrong. That is
settled on the float32 outputs where there are any.

A user's module that does not run in float64, because it makes float32 tensors of its own, is judged
in float32 alone, in the same batches, one thread each: that repeats for every number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.domain import Model
from workbench.errors import Cancelled
from workbench.evaluation.batch_size import max_batch_size
from workbench.runtime.batch import Batch
from workbench.runtime.shell import shell
from workbench.threads import parallel_map, threads

BORDERLINE = 1e-3
TIE_TOLERANCE = 1e-9
NO_CLASS = -1
"""In place of a class where the best output is not a finite number."""

Predictions = NDArray[np.int64]


def predict(
    model: Model,
    weights: Mapping[str, Tensor],
    examples: Any,
    batch: int | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Predictions:
    """Return the class of each of the stored `examples`, int64 [n].

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two batches.
    """
    batch = batch or max_batch_size(model)
    if not model.architecture.traits.float64:
        return _in_float32(model, weights, examples, batch, cancelled)
    if model.spec.inputs:
        return predict_float64(model, weights, examples)
    found = np.zeros(len(examples), np.int64)
    for start in range(0, len(examples), batch):
        if cancelled():
            raise Cancelled("Measuring was stopped.")
        classes, certain = classify(_outputs(model, weights, examples, start, batch), BORDERLINE)
        found[start : start + batch] = classes
        open_ones = start + np.flatnonzero(~certain)
        if open_ones.size:
            found[open_ones] = predict_float64(model, weights, examples[open_ones])
    return found


def _outputs(
    model: Model, weights: Mapping[str, Tensor], examples: Any, start: int, batch: int
) -> Tensor:
    """Return the outputs of the batch that begins at `start`, float32 [at most batch, classes]."""
    numbers = np.arange(start, start + batch).clip(max=len(examples) - 1)  # the last one pads
    outputs: Tensor = shell(model)(weights, model.task.inputs(examples[numbers]))
    return outputs[: len(examples) - start]


def _in_float32(
    model: Model,
    weights: Mapping[str, Tensor],
    examples: Any,
    batch: int,
    cancelled: Callable[[], bool],
) -> Predictions:
    """Return the best class of each example in float32, the lowest of several."""

    def run(start: int) -> Predictions:
        if cancelled():
            raise Cancelled("Measuring was stopped.")
        outputs = _outputs(model, weights, examples, start, batch)
        return _if_finite(outputs.argmax(dim=1).numpy(), outputs.amax(dim=1).numpy())

    starts = range(0, len(examples), batch)
    with threads(1) if len(starts) < 2 else nullcontext():
        found = [*parallel_map(run, starts)]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def predict_float64(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Predictions:
    """Return the classes of examples too close to call in float32: the float64 verdict."""
    run = shell(model, fast=model.architecture.traits.channels_last)
    wide = to_float64(weights)
    batch = max_batch_size(model)
    found = []
    for start in range(0, len(examples), batch):
        inputs = Batch.of(model.task.inputs(examples[start : start + batch])).to(torch.float64)
        outputs = run(wide, inputs).numpy()
        best = outputs.max(axis=1, keepdims=True)
        within = outputs >= best - TIE_TOLERANCE * np.maximum(1, np.abs(best))
        found.append(_if_finite(within.argmax(axis=1), best[:, 0]))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def to_float64(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `weights` in float64."""
    return {name: w.double() if w.is_floating_point() else w for name, w in weights.items()}


def classify(outputs: Tensor, bound: float) -> tuple[Predictions, NDArray[np.bool_]]:
    """Return the best class of each row, and whether it leads by `bound` · max(1, |best|).

    A row without a finite best output has the class `NONE`, for certain.
    """
    (best, second), classes = _top_two(outputs)
    certain = (best - second >= bound * best.abs().clamp(min=1)) | ~best.isfinite()
    return _if_finite(classes.numpy(), best.numpy()), certain.numpy()


def _if_finite(classes: Predictions, best: NDArray[np.floating[Any]]) -> Predictions:
    """Return `classes` where the `best` output is a finite number, and elsewhere `NONE`."""
    return np.where(np.isfinite(best), classes, NO_CLASS)


def _top_two(outputs: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    values, classes = torch.topk(outputs.float(), 2, dim=1)
    return (values[:, 0], values[:, 1]), classes[:, 0]
