"""Reference evaluation: the single definition of what a model predicts.

The model runs on the CPU in eager float32 with contiguous tensors, in fixed batches of 250; the
last batch is padded. If the two best outputs differ by less than 1e-3 · max(1, |best|), float32
rounding could decide, so the example is evaluated again in float64. There, outputs tie if they are
within 1e-9 · max(|best|, min(1, m)) of the best one, where m is the largest magnitude of the
example's outputs. The lowest class wins. The prediction is then independent of batch size, thread
count and instruction set.

If a file quantizes activations, small float32 differences would change integer codes. Such a file
is evaluated in float64 throughout, where products of codes are exact.

If the best output is NaN or infinite (NaN counts as best), there is no prediction: the class is
`NO_CLASS`, which equals no label, so the example counts as wrong. This is decided on the float32
outputs if there are any.

A user module that does not run in float64, because it creates float32 tensors itself, is evaluated
in float32 only, in the same batches with one thread each, to be independent of the thread count.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.evaluation.batch_size import max_batch_size
from workbench.runtime.batch import Batch
from workbench.runtime.shell import shell
from workbench.threads import parallel_map, threads

BORDERLINE = 1e-3
TIE_TOLERANCE = 1e-9
NO_CLASS = -1
"""The prediction if the best output is not finite."""

Predictions = NDArray[np.int64]


def predict(
    model: Model,
    weights: Mapping[str, Tensor],
    examples: Any,
    batch: int | None = None,
    cancel: CancelToken = NEVER,
) -> Predictions:
    """Return the reference prediction for each of the stored `examples`, int64 of shape [n].

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    batch = batch or max_batch_size(model)
    if not model.architecture.traits.float64:
        return _predict_float32(model, weights, examples, batch, cancel)
    if model.spec.inputs:
        return predict_float64(model, weights, examples)
    predictions = np.zeros(len(examples), np.int64)
    for start in range(0, len(examples), batch):
        cancel.check()
        classes, certain = classify(_outputs(model, weights, examples, start, batch), BORDERLINE)
        predictions[start : start + batch] = classes
        borderline = start + np.flatnonzero(~certain)
        if borderline.size:
            predictions[borderline] = predict_float64(model, weights, examples[borderline])
    return predictions


def _outputs(
    model: Model, weights: Mapping[str, Tensor], examples: Any, start: int, batch: int
) -> Tensor:
    """Return the outputs of the batch that begins at `start`, float32 of shape [n, classes]."""
    indices = np.arange(start, start + batch).clip(max=len(examples) - 1)  # repeat the last
    outputs: Tensor = shell(model)(weights, model.task.inputs(examples[indices]))
    return outputs[: len(examples) - start]


def _predict_float32(
    model: Model,
    weights: Mapping[str, Tensor],
    examples: Any,
    batch: int,
    cancel: CancelToken,
) -> Predictions:
    """Return the best class of each example in float32; ties resolve to the lowest class."""

    def run(start: int) -> Predictions:
        cancel.check()
        outputs = _outputs(model, weights, examples, start, batch)
        return _class_if_finite(outputs.argmax(dim=1).numpy(), outputs.amax(dim=1).numpy())

    starts = range(0, len(examples), batch)
    with threads(1) if len(starts) < 2 else nullcontext():
        predictions = [*parallel_map(run, starts)]
    return np.concatenate(predictions) if predictions else np.zeros(0, np.int64)


def predict_float64(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Predictions:
    """Return the predictions in float64, for examples that are borderline in float32."""
    run = shell(model, fast=model.architecture.traits.channels_last)
    weights = to_float64(weights)
    batch = max_batch_size(model)
    predictions = []
    for start in range(0, len(examples), batch):
        inputs = Batch.of(model.task.inputs(examples[start : start + batch])).to(torch.float64)
        predictions.append(lowest_of_tied(run(weights, inputs).numpy()))
    return np.concatenate(predictions) if predictions else np.zeros(0, np.int64)


def lowest_of_tied(outputs: NDArray[np.float64]) -> Predictions:
    """Return the lowest of the best classes of each row of float64 outputs, [n, classes]."""
    best = outputs.max(axis=1, keepdims=True)
    largest = np.abs(outputs).max(axis=1, keepdims=True)
    scale = np.maximum(np.minimum(largest, 1), np.abs(best))  # outputs may all be tiny densities
    tied = outputs >= best - TIE_TOLERANCE * scale
    return _class_if_finite(tied.argmax(axis=1), best[:, 0])


def to_float64(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `weights` in float64."""
    return {name: w.double() if w.is_floating_point() else w for name, w in weights.items()}


def classify(outputs: Tensor, bound: float) -> tuple[Predictions, NDArray[np.bool_]]:
    """Return the best class of each row, and whether it leads by `bound` · max(1, |best|).

    A row whose best output is not finite has the certain class `NO_CLASS`.
    """
    values, classes = torch.topk(outputs.float(), 2, dim=1)
    best, second = values.unbind(dim=1)
    certain = (best - second >= bound * best.abs().clamp(min=1)) | ~best.isfinite()
    return _class_if_finite(classes[:, 0].numpy(), best.numpy()), certain.numpy()


def _class_if_finite(classes: Predictions, best: NDArray[np.floating[Any]]) -> Predictions:
    """Return `classes` where the `best` output is finite, and `NO_CLASS` elsewhere."""
    return np.where(np.isfinite(best), classes, NO_CLASS)
