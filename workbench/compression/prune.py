"""From importance scores to masks."""

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
    """Return a boolean mask (True: keep) for each tensor that `prune` touches, of its shape.

    The number pruned is `round(sparsity · n)` of the n weights or blocks, over the pool of all
    tensors in scope where layers compete and per tensor otherwise; among equal scores the first in
    order go. Runs of the pattern N:M lose `round(sparsity · M)` each, whatever the scope.
    `layers` are the tensors that can be pruned, in order; all that are `compressible` unless given.
    """
    layers = compressible(weights) if layers is None else layers
    pool = [n for n in layers if n not in prune.exclude]
    own = [n for n in pool if n in prune.layers]
    shared = [n for n in pool if n not in prune.layers] if prune.scope != "layer" else []
    chosen = {name: weights[name] for name in pool if name in own or name in shared}
    scores = {
        name: to_numpy(found)
        for name, found in CRITERIA[prune.criterion](chosen, prune, stats).items()
    }
    asked = {name: prune.layers.get(name, prune.sparsity) for name in chosen}
    if prune.pattern == "n:m":
        return {name: mask_in_runs(scores[name], prune.width, asked[name]) for name in chosen}
    units = {name: _units(scores[name], prune) for name in chosen}
    kept = {name: _keep(units[name], asked[name]) for name in own}
    if prune.scope in COMPETING and shared:
        weigh = COMPETING[prune.scope]
        together = _keep(np.concatenate([weigh(units[name]) for name in shared]), prune.sparsity)
        ends = np.cumsum([units[name].size for name in shared])[:-1]
        kept |= dict(zip(shared, np.split(together, ends), strict=True))
    else:
        kept |= {name: _keep(units[name], prune.sparsity) for name in shared}
    return {name: mask_from_units(kept[name], scores[name].shape, prune) for name in chosen}


def apply_mask(weight: Tensor, kept: Tensor) -> Tensor:
    """Return `weight` with zeros, none of them negative, where the mask `kept` is False."""
    same = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[weight.element_size()]
    flat = weight.detach().contiguous().flatten().view(same)
    out = torch.empty_like(flat)
    flags = kept.contiguous().flatten().view(torch.int8)

    def fill(piece: slice) -> None:  # by bits: several times as fast as torch.where
        torch.bitwise_and(flat[piece], flags[piece].neg().to(same), out=out[piece])

    for _ in in_pieces(fill, flat.numel()):
        pass
    return out.view(weight.dtype).view(weight.shape)


def magnitude_mask_like(name: str, weight: Tensor, kept: Tensor, prune: Prune) -> Tensor:
    """Return the mask of as many weights as `kept` has, or as many in each run, the largest ones.

    Blocks stay those that are kept.
    """
    size = to_numpy(weight.abs())
    if prune.pattern == "block":
        return kept
    if prune.pattern == "n:m":
        return mask_in_runs(size, prune.width, prune.layers.get(name, prune.sparsity))
    pruned = kept.numel() - int(kept.sum())
    return torch.from_numpy(_keep_all_but(size.reshape(-1), pruned)).view(weight.shape)


def to_numpy(scores: Tensor) -> Scores:
    """Return scores as an array, bfloat16 widened to float32."""
    found: Scores = (scores.float() if scores.dtype == torch.bfloat16 else scores).numpy()
    return found


def mask_in_runs(scores: Scores, width: int, sparsity: float) -> Tensor:
    """Return the mask of a tensor whose runs of `width` lose their smallest `scores`."""
    if not scores.size:
        return torch.ones(scores.shape, dtype=torch.bool)
    kept = sparsity_patterns.keep_in_runs(
        sparsity_patterns.matrix(scores, scores.shape), width, sparsity
    )
    return torch.from_numpy(sparsity_patterns.flattened(kept, scores.shape)).view(scores.shape)


def _units(scores: Scores, prune: Prune) -> Scores:
    """Return the flat scores of what is kept or pruned as a whole: weights, or blocks."""
    if prune.pattern == "free" or not scores.size:
        return scores.reshape(-1)
    return sparsity_patterns.block_means(
        sparsity_patterns.matrix(scores, scores.shape), prune.width
    ).reshape(-1)


def mask_from_units(kept: sparsity_patterns.Flags, shape: tuple[int, ...], prune: Prune) -> Tensor:
    """Return the mask over a tensor of `shape` that keeps the units `kept`."""
    if prune.pattern == "block" and kept.size:
        rows, columns = shape[0], prod(shape[1:])
        grid = kept.reshape(-(-rows // prune.width), -1)
        wide = sparsity_patterns.spread_blocks(grid, prune.width, (rows, columns))
        kept = sparsity_patterns.flattened(wide, shape)
    return torch.from_numpy(kept).view(shape)


def _adaptive(scores: Scores) -> Scores:
    """Return s² over the sum of the squares of all scores that are no smaller, for flat `scores`.

    The score of layer-adaptive magnitude pruning (LAMP; Lee et al. 2020, arXiv 2010.07611): the
    last weight of a layer has score 1, so that no layer is emptied before all are down to one.
    """
    largest = float(scores.max(initial=0.0)) or 1.0  # shares are the same, and nothing overflows
    squares = np.square(scores / largest, dtype=np.float64)
    order = np.argsort(squares, kind="stable")
    left = np.cumsum(squares[order][::-1])[::-1]
    found = np.zeros_like(squares)
    found[order] = squares[order] / np.maximum(left, np.finfo(np.float64).tiny)
    return found


COMPETING: dict[str, Callable[[Scores], Scores]] = {
    "global": lambda scores: scores,
    "adaptive": _adaptive,
}
"""The scopes in which layers compete, and what their flat scores become before that."""


def _keep(scores: Scores, sparsity: float) -> sparsity_patterns.Flags:
    """Return which of the flat `scores` survive when the smallest `round(sparsity · n)` go."""
    return _keep_all_but(scores, round(sparsity * scores.size))


def _keep_all_but(scores: Scores, pruned: int) -> sparsity_patterns.Flags:
    if pruned == 0:
        return np.ones(scores.shape, np.bool_)
    threshold = np.partition(scores, pruned - 1)[pruned - 1]
    keep: sparsity_patterns.Flags = scores >= threshold
    surplus = pruned - (keep.size - np.count_nonzero(keep))
    keep[np.flatnonzero(scores == threshold)[:surplus]] = False
    return keep
