"""Which weights of a tensor stay, found without the other tensors in memory.

The masks are those of `workbench.compression.prune.masks`, by magnitude: there for tensors in
memory, here for files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.compression import sparsity_patterns
from workbench.compression.checks import check_finite
from workbench.compression.pieces import PIECE_SIZE, in_pieces
from workbench.compression.prune import mask_from_units, mask_in_runs, to_numpy
from workbench.recipe import Prune
from workbench.streaming.nth_smallest import SortKeys, Threshold, nth_smallest, sort_keys
from workbench.streaming.source import Source
from workbench.threads import parallel_map

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Masks:
    """What `prune` takes from the tensors of a file.

    `names` are the tensors that may lose weights, `pool` those of them that compete, and `cut` is
    that of the pool.
    """

    prune: Prune
    names: tuple[str, ...]
    pool: tuple[str, ...]
    bits: int
    cut: Threshold | None

    @classmethod
    def of(cls, source: Source, prune: Prune, cut: Threshold | None, progress: Progress) -> Masks:
        """Find the cut, unless it is given; `progress` is told the bytes read and to read."""
        names = tuple(name for name in source.layers if name not in prune.exclude)
        shared = [name for name in names if name not in prune.layers]
        competes = prune.scope == "global" and prune.pattern != "n:m"
        pool = tuple(shared) if competes else ()
        bits = max((_bits(source.meta_tensors[name], prune) for name in pool), default=0)
        total = sum(_units(source.meta_tensors[name].shape, prune) for name in pool)
        pruned = round(prune.sparsity * total)

        def everything() -> Iterator[SortKeys]:
            read, whole = 0, sum(source.places[name].size for name in pool)
            for name in pool:
                with source.tensor(name) as weight:
                    check_finite(name, weight)
                    yield from _keys(weight, prune, bits)
                read += source.places[name].size
                progress(read, whole)

        if cut is None and pruned:
            cut = nth_smallest(everything, bits, pruned)
        return cls(prune, names, pool, bits, cut)

    def mask(self, name: str, weight: Tensor, ties: int) -> tuple[Tensor | None, int]:
        """Return a tensor's mask (True: keep), None if all stay, and how many ties it took.

        `ties` are those that tensors before took, where tensors compete.
        """
        prune = self.prune
        if name in self.pool:
            if self.cut is None:
                return None, 0
            return _below(weight, prune, self.bits, Threshold(self.cut.key, self.cut.ties - ties))
        asked = prune.layers.get(name, prune.sparsity if prune.scope != "layer" else 0.0)
        if name not in self.names:
            return None, 0
        if prune.pattern == "n:m":
            return _runs(weight, prune.width, asked), 0
        pruned = round(asked * _units(weight.shape, prune))
        if not pruned:
            return None, 0
        bits = _bits(weight, prune)
        cut = nth_smallest(lambda: _keys(weight, prune, bits), bits, pruned)
        return _below(weight, prune, bits, cut)[0], 0


def _bits(weight: Tensor, prune: Prune) -> int:
    """Return the bits that tell a tensor's scores apart."""
    if prune.pattern == "block" or weight.dtype == torch.float64:
        return 64
    return 16 if weight.dtype == torch.bfloat16 else 32


def _units(shape: tuple[int, ...], prune: Prune) -> int:
    """Return how many weights, or blocks, a tensor has."""
    rows, columns = shape[0], int(np.prod(shape[1:], dtype=object))
    width = prune.width if prune.pattern == "block" else 1
    return -(-rows // width) * -(-columns // width)


def _keys(weight: Tensor, prune: Prune, bits: int) -> Iterator[SortKeys]:
    """Yield the scores of a tensor's weights, or blocks, as keys, piece by piece."""
    if prune.pattern == "free":
        flat = weight.reshape(-1)
        return in_pieces(lambda piece: sort_keys(flat[piece].abs(), bits), flat.numel())
    return parallel_map(lambda rows: _block_keys(rows, prune.width), _cut(weight, prune.width))


def _block_keys(rows: Tensor, width: int) -> SortKeys:
    if not rows.numel():
        return np.zeros(0, np.uint64)
    scores = sparsity_patterns.matrix(to_numpy(rows.abs()), tuple(rows.shape))
    means = sparsity_patterns.block_means(scores, width)
    return means.reshape(-1).view(np.uint64)


def _cut(weight: Tensor, width: int) -> tuple[Tensor, ...]:
    """Cut a tensor into some rows at a time, as many as blocks of `width` need."""
    length = max(1, weight[0].numel() if len(weight) else 1)
    found: tuple[Tensor, ...] = weight.split(max(1, PIECE_SIZE // (length * width)) * width)
    return found


def _below(weight: Tensor, prune: Prune, bits: int, cut: Threshold) -> tuple[Tensor, int]:
    """Return the mask of what is not below `cut`, and how many ties it took."""
    kept = np.empty(_units(weight.shape, prune), np.bool_)
    at = taken = 0
    for some in _keys(weight, prune, bits):
        part = kept[at : at + some.size]
        np.greater_equal(some, cut.key, out=part)
        if taken < cut.ties:
            equal = np.flatnonzero(some == cut.key)[: cut.ties - taken]
            part[equal] = False
            taken += equal.size
        at += some.size
    return mask_from_units(kept, tuple(weight.shape), prune), taken


def _runs(weight: Tensor, width: int, sparsity: float) -> Tensor:
    kept = torch.empty(weight.shape, dtype=torch.bool)
    parts = list(zip(_cut(weight, 1), _cut(kept, 1), strict=True))

    def fill(part: tuple[Tensor, Tensor]) -> None:
        part[1].copy_(mask_in_runs(to_numpy(part[0].abs()), width, sparsity))

    for _ in parallel_map(fill, parts):
        pass
    return kept
