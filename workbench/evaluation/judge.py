"""The judge: the one definition of what a model predicts.

It runs on the CPU in float32, eager, contiguous, in fixed batches of 250, the last one padded.
Where the two best outputs are closer than 1e-3 · max(1, |best|), float32 rounding could decide,
so that example is judged again in float64; outputs that still tie go to the lowest class. The
answer is then the same for every batch size, thread count and instruction set.

Where a file rounds the inputs of its layers, float32's small differences would end in other codes:
such a file is judged in float64 throughout, its products of codes exact as integers are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.zoo import Model
from workbench.zoo.shell import shell

BATCH = 250
CLOSE = 1e-3
TIE = 1e-9

Predictions = NDArray[np.int64]


def predict(
    model: Model, weights: Mapping[str, Tensor], images: NDArray[np.uint8], batch: int = BATCH
) -> Predictions:
    """Return the class of each image, int64 [n]."""
    if model.form.inputs:
        return decide(model, weights, images)
    run = shell(model)
    found = np.zeros(len(images), np.int64)
    for start in range(0, len(images), batch):
        piece = images[start : start + batch]
        padded = np.zeros((batch, *piece.shape[1:]), piece.dtype)
        padded[: len(piece)] = piece
        outputs = run(weights, model.task.inputs(padded))[: len(piece)]
        classes, certain = settle(outputs, CLOSE)
        found[start : start + batch] = classes
        open_ones = np.flatnonzero(~certain)
        if open_ones.size:
            found[start + open_ones] = decide(model, weights, piece[open_ones])
    return found


def decide(model: Model, weights: Mapping[str, Tensor], images: NDArray[np.uint8]) -> Predictions:
    """Return the classes of images too close to call in float32: the float64 verdict."""
    run = shell(model, fast=True)
    wide = {name: w.double() if w.is_floating_point() else w for name, w in weights.items()}
    found = []
    for start in range(0, len(images), BATCH):
        inputs = model.task.inputs(images[start : start + BATCH]).double()
        outputs = run(wide, inputs).numpy()
        best = outputs.max(axis=1, keepdims=True)
        within = outputs >= best - TIE * np.maximum(1, np.abs(best))
        found.append(within.argmax(axis=1))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def settle(outputs: Tensor, bound: float) -> tuple[Predictions, NDArray[np.bool_]]:
    """Return the best class of each row, and whether it leads by `bound` · max(1, |best|)."""
    (best, second), classes = _top_two(outputs)
    certain = best - second >= bound * best.abs().clamp(min=1)
    return classes.numpy(), certain.numpy()


def _top_two(outputs: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    values, classes = torch.topk(outputs.float(), 2, dim=1)
    return (values[:, 0], values[:, 1]), classes[:, 0]
