"""Mean average precision of detected boxes (Everingham et al. 2010; COCO's thresholds)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

THRESHOLDS = tuple(0.5 + 0.05 * step for step in range(10))
"""Overlaps from which a box counts as found."""
RECALLS = 101
"""Points of the recall axis at which precision is read."""


def mean_average_precision(outputs: list[Any], targets: list[Any]) -> float:
    """Return the mean over classes and thresholds of the average precision, 0 to 1.

    Parameters
    ----------
    outputs, targets
        Batches of one dict for each image: ``boxes`` float [n, 4] as corners x0, y0, x1, y1,
        ``labels`` int64 [n], and of outputs ``scores`` float [n].
    """
    found = [one for batch in outputs for one in batch]
    true = [one for batch in targets for one in batch]
    classes = sorted({int(label) for one in true for label in one["labels"]})
    each = [
        _average_precision(
            [_of(one, kind) for one in found], [_of(one, kind) for one in true], least
        )
        for kind in classes
        for least in THRESHOLDS
    ]
    return sum(each) / len(each) if each else 0.0


def _of(one: dict[str, Tensor], kind: int) -> dict[str, Tensor]:
    chosen = one["labels"] == kind
    return {name: tensor[chosen] for name, tensor in one.items()}


def _average_precision(
    found: list[dict[str, Tensor]], true: list[dict[str, Tensor]], least: float
) -> float:
    total = sum(len(one["boxes"]) for one in true)
    scores, hits = [], []
    for guess, known in zip(found, true, strict=True):
        order = guess["scores"].argsort(descending=True, stable=True)
        scores.append(guess["scores"][order].double())
        hits.append(_matched(guess["boxes"][order], known["boxes"], least))
    order = torch.cat(scores).argsort(descending=True, stable=True)
    right = torch.cat(hits)[order].double().cumsum(0)
    precision = right / torch.arange(1, len(right) + 1)
    recall = right / total
    best = precision.flip(0).cummax(0).values.flip(0) if len(right) else precision
    places = torch.searchsorted(recall, torch.linspace(0, 1, RECALLS, dtype=torch.float64))
    return float(torch.cat([best, best.new_zeros(1)])[places.clamp(max=len(best))].mean())


def _matched(boxes: Tensor, known: Tensor, least: float) -> Tensor:
    """Return for each box, best score first, whether it finds a known box not yet found."""
    overlaps, free = _overlaps(boxes, known), torch.ones(len(known), dtype=torch.bool)
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for number in range(len(boxes)):
        mine = overlaps[number].where(free, -1.0)
        if len(known) and float(mine.max()) >= least:
            hits[number] = True
            free[int(mine.argmax())] = False
    return hits


def _overlaps(one: Tensor, other: Tensor) -> Tensor:
    """Return the intersection over union of every pair, [n, m]."""
    low = torch.maximum(one[:, None, :2], other[None, :, :2])
    high = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    both = (high - low).clamp(min=0).prod(dim=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (one, other)]
    return both / (areas[0][:, None] + areas[1][None] - both).clamp(min=1e-12)
