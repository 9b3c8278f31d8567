"""Quantization ranges: the lowest and highest value to represent.

Each function takes rows of values that share a scale, [groups, length], and returns the lowest and
highest value, each [groups]. Zero is always inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from workbench.compression.qparams import QParams
from workbench.recipe import Quantize

Bounds = tuple[Tensor, Tensor]


def minmax(rows: Tensor, quantize: Quantize, bits: int) -> Bounds:
    """Return the smallest and largest value of each row."""
    low, high = rows.amin(dim=1), rows.amax(dim=1)  # aminmax is three times slower
    return low.clamp(max=0), high.clamp(min=0)


def percentile(rows: Tensor, quantize: Quantize, bits: int) -> Bounds:
    """Return the bounds that contain `quantize.percentile` percent of each row's values.

    Zeros are not counted: they are always inside, and after pruning they would push the few other
    values out.
    """
    outside = (100 - quantize.percentile) / 100
    counts = (rows != 0).sum(dim=1)
    if quantize.scheme == "symmetric":
        bound = _below_top(rows.abs(), outside * counts)
        return -bound, bound
    high = _below_top(rows, outside / 2 * counts)
    low = _below_top(-rows, outside / 2 * counts).neg()
    return low.clamp(max=0), high.clamp(min=0)


def _below_top(rows: Tensor, skipped: Tensor) -> Tensor:
    """Return each row's largest value after skipping the `skipped` (rounded down) largest."""
    # 0.1 % of 1,000 is slightly less than 1 in floating point.
    place = (skipped + 1e-6).long().clamp(max=rows.shape[1] - 1)
    return rows.sort(dim=1, descending=True).values.gather(1, place.unsqueeze(1)).squeeze(1)


def least_squares(rows: Tensor, quantize: Quantize, bits: int) -> Bounds:
    """Return the min–max bounds, scaled by the factor with the least squared rounding error.

    The factor of each row is searched in 9 steps from 0.2 to 1, then around the best of them.
    """
    low, high = minmax(rows, quantize, bits)
    best = torch.ones_like(low)
    error = torch.full_like(low, math.inf, dtype=torch.float64)

    def try_factors(factors: Tensor) -> None:
        nonlocal best, error
        qparams = QParams.from_range(low * factors, high * factors, quantize.scheme, bits)
        new_error = (qparams.round(rows) - rows).square_().sum(dim=1, dtype=torch.float64)
        better = new_error < error
        error, best = torch.where(better, new_error, error), torch.where(better, factors, best)

    for step in range(9):
        try_factors(torch.full_like(low, 1.0 - 0.1 * step))
    center = best
    for offset in (-0.75, -0.5, -0.25, 0.25, 0.5, 0.75):
        try_factors((center + offset * 0.1).clamp(max=1))
    return low * best, high * best


RANGES: dict[str, Callable[[Tensor, Quantize, int], Bounds]] = {
    "minmax": minmax,
    "percentile": percentile,
    "mse": least_squares,
}
