"""Mean average precision of detected boxes (Everingham et al. 2010; COCO's thresholds)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

THRESHOLDS = tuple(0.5 + 0.05 * step for step in range(10))
"""Intersection over union from which a detection matches a ground-truth box."""
RECALLS = 101
"""Number of recall values at which precision is sampled."""

Boxes = dict[str, Tensor]


def mean_average_precision(outputs: list[Any], targets: list[Any]) -> float:
    """Return the average precision, averaged over classes and thresholds, from 0 to 1.

    Parameters
    ----------
    outputs, targets
        Batches of one dict per image: ``boxes`` float [n, 4] as corners x0, y0, x1, y1,
        ``labels`` int64 [n], and in outputs ``scores`` float [n].
    """
    detected = [image for batch in outputs for image in batch]
    true = [image for batch in targets for image in batch]
    classes = sorted({int(label) for image in true for label in image["labels"]})
    precisions = [
        _average_precision(
            [_of_class(image, label) for image in detected],
            [_of_class(image, label) for image in true],
            threshold,
        )
        for label in classes
        for threshold in THRESHOLDS
    ]
    return sum(precisions) / len(precisions) if precisions else 0.0


def _of_class(image: Boxes, label: int) -> Boxes:
    mask = image["labels"] == label
    return {name: tensor[mask] for name, tensor in image.items()}


def _average_precision(detected: list[Boxes], true: list[Boxes], threshold: float) -> float:
    total = sum(len(image["boxes"]) for image in true)
    scores, hits = [], []
    for predicted, known in zip(detected, true, strict=True):
        order = predicted["scores"].argsort(descending=True, stable=True)
        scores.append(predicted["scores"][order].double())
        hits.append(_matches(predicted["boxes"][order], known["boxes"], threshold))
    order = torch.cat(scores).argsort(descending=True, stable=True)
    true_positives = torch.cat(hits)[order].double().cumsum(0)
    precision = true_positives / torch.arange(1, len(true_positives) + 1)
    recall = true_positives / total
    best = precision.flip(0).cummax(0).values.flip(0) if len(precision) else precision
    ranks = torch.searchsorted(recall, torch.linspace(0, 1, RECALLS, dtype=torch.float64))
    return float(torch.cat([best, best.new_zeros(1)])[ranks.clamp(max=len(best))].mean())


def _matches(boxes: Tensor, known: Tensor, threshold: float) -> Tensor:
    """Return for each box, by descending score, whether it matches an unmatched known box."""
    overlaps, free = _overlaps(boxes, known), torch.ones(len(known), dtype=torch.bool)
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for index in range(len(boxes)):
        available = overlaps[index].where(free, -1.0)
        if len(known) and float(available.max()) >= threshold:
            hits[index] = True
            free[int(available.argmax())] = False
    return hits


def _overlaps(boxes: Tensor, others: Tensor) -> Tensor:
    """Return the intersection over union of every pair, [n, m]."""
    low = torch.maximum(boxes[:, None, :2], others[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], others[None, :, 2:])
    intersection = (high - low).clamp(min=0).prod(dim=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(dim=1) for b in (boxes, others)]
    return intersection / (areas[0][:, None] + areas[1][None] - intersection).clamp(min=1e-12)
