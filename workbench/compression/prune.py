"""Pruning masks from importance scores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.compression import sparsity_patterns
from workbench.compression.criteria import CRITERIA
from workbench.compression.pieces import in_pieces
from workbench.compression.roles import compressible
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune

Scores = NDArray[Any]


def masks(
    weights: Mapping[str, Tensor],
    prune: Prune,
    stats: CalibrationStats,
    layers: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """Return a boolean mask (True: keep) for each tensor that `prune` covers, of its shape.

    `round(sparsity · n)` of the n weights or blocks are pruned: of the pool of all covered tensors
    if layers compete, else of each tensor. Among equal scores, the first are pruned. With the
    pattern N:M, each run loses `round(sparsity · M)` weights, whatever the scope.

    Parameters
    ----------
    weights
        All tensors by name.
    prune
        The settings.
    stats
        Calibration statistics, needed by data-driven criteria.
    layers
        The tensors that can be pruned, in order; by default all that are `compressible`.
    """
    layers = compressible(weights) if layers is None else layers
    included = [n for n in layers if n not in prune.exclude]
    single = [n for n in included if n in prune.layers]
    pool = [n for n in included if n not in prune.layers] if prune.scope != "named" else []
    covered = {name: weights[name] for name in included if name in single or name in pool}
    scores = {
        name: to_numpy(values)
        for name, values in CRITERIA[prune.criterion](covered, prune, stats).items()
    }
    sparsity = {name: prune.layers.get(name, prune.sparsity) for name in covered}
    if prune.pattern == "n_m":
        return {name: mask_in_runs(scores[name], prune.width, sparsity[name]) for name in covered}
    units = {name: _units(scores[name], prune) for name in covered}
    if prune.scope in COMPETING and pool:
        scale = COMPETING[prune.scope]
        pooled = _keep(np.concatenate([scale(units[name]) for name in pool]), prune.sparsity)
        ends = np.cumsum([units[name].size for name in pool])[:-1]
        keep = dict(zip(pool, np.split(pooled, ends), strict=True))
    else:
        keep = {name: _keep(units[name], prune.sparsity) for name in pool}
    keep |= {name: _keep(units[name], sparsity[name]) for name in single}
    return {name: mask_from_units(keep[name], scores[name].shape, prune) for name in covered}


def apply_mask(weight: Tensor, mask: Tensor) -> Tensor:
    """Return `weight` with positive zeros where `mask` is False."""
    integer = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    dtype = integer[weight.element_size()]
    flat = weight.detach().contiguous().flatten().view(dtype)
    out = torch.empty_like(flat)
    flags = mask.contiguous().flatten().view(torch.int8)

    def fill(piece: slice) -> None:  # on bits: several times as fast as torch.where
        torch.bitwise_and(flat[piece], flags[piece].neg().to(dtype), out=out[piece])

    for _ in in_pieces(fill, flat.numel()):
        pass
    return out.view(weight.dtype).view(weight.shape)


def magnitude_mask_like(name: str, weight: Tensor, mask: Tensor, prune: Prune) -> Tensor:
    """Return a mask by magnitude with the same number of zeros as `mask`, or as in each run of it.

    With the block pattern, `mask` itself is returned.
    """
    size = to_numpy(weight.abs())
    if prune.pattern == "block":
        return mask
    if prune.pattern == "n_m":
        return mask_in_runs(size, prune.width, prune.layers.get(name, prune.sparsity))
    pruned = mask.numel() - int(mask.sum())
    return torch.from_numpy(_keep_all_but(size.reshape(-1), pruned)).view(weight.shape)


def to_numpy(scores: Tensor) -> Scores:
    """Return scores as an array; bfloat16 becomes float32."""
    array: Scores = (scores.float() if scores.dtype == torch.bfloat16 else scores).numpy()
    return array


def mask_in_runs(scores: Scores, width: int, sparsity: float) -> Tensor:
    """Return the mask of a tensor in which each run of `width` loses its smallest `scores`."""
    if not scores.size:
        return torch.ones(scores.shape, dtype=torch.bool)
    keep = sparsity_patterns.keep_in_runs(
        sparsity_patterns.matrix(scores, scores.shape), width, sparsity
    )
    return torch.from_numpy(sparsity_patterns.flattened(keep, scores.shape)).view(scores.shape)


def _units(scores: Scores, prune: Prune) -> Scores:
    """Return the flat scores of the units that are kept or pruned: weights or blocks."""
    if prune.pattern == "free" or not scores.size:
        return scores.reshape(-1)
    matrix = sparsity_patterns.matrix(scores, scores.shape)
    return sparsity_patterns.block_means(matrix, prune.width).reshape(-1)


def mask_from_units(keep: sparsity_patterns.Flags, shape: tuple[int, ...], prune: Prune) -> Tensor:
    """Return the mask over a tensor of `shape` from a flat mask over its units."""
    if prune.pattern == "block" and keep.size:
        rows, columns = shape[0], prod(shape[1:])
        blocks = keep.reshape(-(-rows // prune.width), -1)
        matrix = sparsity_patterns.spread_blocks(blocks, prune.width, (rows, columns))
        keep = sparsity_patterns.flattened(matrix, shape)
    return torch.from_numpy(keep).view(shape)


def _adaptive(scores: Scores) -> Scores:
    """Return s² divided by the sum of the squares of all scores that are no smaller.

    This is layer-adaptive magnitude pruning (LAMP; Lee et al. 2020, arXiv 2010.07611). The largest
    weight of a layer gets the score 1, so that no layer becomes empty before all have one weight.
    """
    largest = float(scores.max(initial=0.0)) or 1.0  # avoids overflow; the ratios do not change
    squares = np.square(scores / largest, dtype=np.float64)
    order = np.argsort(squares, kind="stable")
    remaining = np.cumsum(squares[order][::-1])[::-1]
    result = np.zeros_like(squares)
    result[order] = squares[order] / np.maximum(remaining, np.finfo(np.float64).tiny)
    return result


COMPETING: dict[str, Callable[[Scores], Scores]] = {
    "global": lambda scores: scores,
    "adaptive": _adaptive,
}
"""The scopes in which layers compete, and how each transforms a layer's flat scores."""


def _keep(scores: Scores, sparsity: float) -> sparsity_patterns.Flags:
    """Return the mask without the smallest `round(sparsity · n)` of the flat `scores`."""
    return _keep_all_but(scores, round(sparsity * scores.size))


def _keep_all_but(scores: Scores, pruned: int) -> sparsity_patterns.Flags:
    if pruned == 0:
        return np.ones(scores.shape, np.bool_)
    threshold = np.partition(scores, pruned - 1)[pruned - 1]
    keep: sparsity_patterns.Flags = scores >= threshold
    surplus = pruned - (keep.size - np.count_nonzero(keep))
    keep[np.flatnonzero(scores == threshold)[:surplus]] = False
    return keep
