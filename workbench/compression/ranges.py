"""How wide the quantiser's range is: the bound that the outermost code stands for.

Each function takes rows of values that share a scale, shape [groups, length], and returns the
lowest and highest value to represent, each of shape [groups]; zero is always inside.
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
    return rows.amin(dim=1).clamp(max=0), rows.amax(dim=1).clamp(
        min=0
    )  # not aminmax: three times slower


def percentile(rows: Tensor, quantize: Quantize, bits: int) -> Bounds:
    """Return the bounds inside which `quantize.percentile` percent of each row's values lie.

    Zeros do not count: they are inside any bounds, and where pruning left few other values they
    would push those out.
    """
    outside = (100 - quantize.percentile) / 100
    values = (rows != 0).sum(dim=1)
    if quantize.scheme == "symmetric":
        bound = _below_top(rows.abs(), outside * values)
        return -bound, bound
    high = _below_top(rows, outside / 2 * values)
    low = _below_top(-rows, outside / 2 * values).neg()
    return low.clamp(max=0), high.clamp(min=0)


def _below_top(rows: Tensor, skipped: Tensor) -> Tensor:
    """Return each row's largest value after its `skipped` (rounded down) largest ones."""
    place = (skipped + 1e-6).long().clamp(max=rows.shape[1] - 1)  # 0.1 % of 1,000 is one
    return rows.sort(dim=1, descending=True).values.gather(1, place.unsqueeze(1)).squeeze(1)


def least_squares(rows: Tensor, quantize: Quantize, bits: int) -> Bounds:
    """Return the min–max bounds shrunk by the factor with the least squared rounding error.

    The factor is searched per row, first over 9 steps from 0.2 to 1, then around the best.
    """
    low, high = minmax(rows, quantize, bits)
    best = torch.ones_like(low)
    error = torch.full_like(low, math.inf, dtype=torch.float64)
    span = 0.1
    coarse = [1.0 - 0.1 * step for step in range(9)]
    for factor in coarse:
        error, best = _better(
            rows, low, high, torch.full_like(low, factor), quantize, bits, error, best
        )
    centre = best.clone()
    for offset in (-0.75, -0.5, -0.25, 0.25, 0.5, 0.75):
        factors = (centre + offset * span).clamp(max=1)
        error, best = _better(rows, low, high, factors, quantize, bits, error, best)
    return low * best, high * best


def _better(
    rows: Tensor,
    low: Tensor,
    high: Tensor,
    factors: Tensor,
    quantize: Quantize,
    bits: int,
    error: Tensor,
    best: Tensor,
) -> Bounds:
    grid = QParams.over(low * factors, high * factors, quantize.scheme, bits)
    tried = (grid.round(rows) - rows).square_().sum(dim=1, dtype=torch.float64)
    won = tried < error
    return torch.where(won, tried, error), torch.where(won, factors, best)


RANGES: dict[str, Callable[[Tensor, Quantize, int], Bounds]] = {
    "minmax": minmax,
    "percentile": percentile,
    "mse": least_squares,
}
