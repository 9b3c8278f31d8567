"""Pruning masks computed with one tensor in memory at a time.

They equal the masks of `workbench.compression.prune.masks` for tensors in memory, by magnitude.
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
    """Computes the pruning masks of the tensors of a file.

    Attributes
    ----------
    names : frozenset
        The tensors that may be pruned.
    pool : frozenset
        The tensors that share one global threshold.
    bits : int
        Bits of the sort keys of the pool.
    threshold : Threshold or None
        The threshold of the pool.
    """

    prune: Prune
    names: frozenset[str]
    pool: frozenset[str]
    bits: int
    threshold: Threshold | None

    @classmethod
    def find(
        cls, source: Source, prune: Prune, threshold: Threshold | None, on_progress: Progress
    ) -> Masks:
        """Find the threshold of the pool unless it is given.

        `on_progress` is called with the bytes read so far and the total.
        """
        names = tuple(name for name in source.layers if name not in prune.exclude)
        is_global = prune.scope == "global" and prune.pattern != "n_m"
        pool = tuple(name for name in names if name not in prune.layers) if is_global else ()
        bits = max((_bits(source.meta_tensors[name], prune) for name in pool), default=0)
        units = sum(_units(source.meta_tensors[name].shape, prune) for name in pool)
        pruned = round(prune.sparsity * units)

        def all_keys() -> Iterator[SortKeys]:
            read, total = 0, sum(source.locations[name].size for name in pool)
            for name in pool:
                with source.tensor(name) as weight:
                    check_finite(name, weight)
                    yield from _keys(weight, prune, bits)
                read += source.locations[name].size
                on_progress(read, total)

        if threshold is None and pruned:
            threshold = nth_smallest(all_keys, bits, pruned)
        return cls(prune, frozenset(names), frozenset(pool), bits, threshold)

    def mask(self, name: str, weight: Tensor, ties: int) -> tuple[Tensor | None, int]:
        """Return a tensor's mask (True: keep; None: keep all) and the number of ties it pruned.

        `ties` is the number of ties that earlier tensors of the pool pruned.
        """
        prune = self.prune
        if name in self.pool:
            if self.threshold is None:
                return None, 0
            rest = Threshold(self.threshold.key, self.threshold.ties - ties)
            return _mask_above(weight, prune, self.bits, rest)
        if name not in self.names:
            return None, 0
        sparsity = prune.layers.get(name, prune.sparsity if prune.scope != "named" else 0.0)
        if prune.pattern == "n_m":
            return _mask_in_runs(weight, prune.width, sparsity), 0
        pruned = round(sparsity * _units(weight.shape, prune))
        if not pruned:
            return None, 0
        bits = _bits(weight, prune)
        threshold = nth_smallest(lambda: _keys(weight, prune, bits), bits, pruned)
        return _mask_above(weight, prune, bits, threshold)[0], 0


def _bits(weight: Tensor, prune: Prune) -> int:
    """Return the bits of the sort keys of a tensor's scores."""
    if prune.pattern == "block" or weight.dtype == torch.float64:
        return 64
    return 16 if weight.dtype == torch.bfloat16 else 32


def _units(shape: tuple[int, ...], prune: Prune) -> int:
    """Return how many weights, or blocks, a tensor has."""
    rows, columns = shape[0], int(np.prod(shape[1:], dtype=object))
    width = prune.width if prune.pattern == "block" else 1
    return -(-rows // width) * -(-columns // width)


def _keys(weight: Tensor, prune: Prune, bits: int) -> Iterator[SortKeys]:
    """Yield the sort keys of the scores of a tensor's weights, or blocks, in pieces."""
    if prune.pattern == "free":
        flat = weight.reshape(-1)
        return in_pieces(lambda piece: sort_keys(flat[piece].abs(), bits), flat.numel())
    pieces = _split_rows(weight, prune.width)
    return parallel_map(lambda rows: _block_keys(rows, prune.width), pieces)


def _block_keys(rows: Tensor, width: int) -> SortKeys:
    if not rows.numel():
        return np.zeros(0, np.uint64)
    scores = sparsity_patterns.matrix(to_numpy(rows.abs()), tuple(rows.shape))
    means = sparsity_patterns.block_means(scores, width)
    return means.reshape(-1).view(np.uint64)


def _split_rows(weight: Tensor, width: int) -> tuple[Tensor, ...]:
    """Split a tensor into pieces of rows; the number of rows is a multiple of `width`."""
    length = max(1, weight[0].numel() if len(weight) else 1)
    pieces: tuple[Tensor, ...] = weight.split(max(1, PIECE_SIZE // (length * width)) * width)
    return pieces


def _mask_above(
    weight: Tensor, prune: Prune, bits: int, threshold: Threshold
) -> tuple[Tensor, int]:
    """Return the mask of what `threshold` does not select, and the number of ties it pruned."""
    mask = np.empty(_units(weight.shape, prune), np.bool_)
    start = ties = 0
    for keys in _keys(weight, prune, bits):
        part = mask[start : start + keys.size]
        np.greater_equal(keys, threshold.key, out=part)
        if ties < threshold.ties:
            equal = np.flatnonzero(keys == threshold.key)[: threshold.ties - ties]
            part[equal] = False
            ties += equal.size
        start += keys.size
    return mask_from_units(mask, tuple(weight.shape), prune), ties


def _mask_in_runs(weight: Tensor, width: int, sparsity: float) -> Tensor:
    mask = torch.empty(weight.shape, dtype=torch.bool)
    parts = list(zip(_split_rows(weight, 1), _split_rows(mask, 1), strict=True))

    def fill(part: tuple[Tensor, Tensor]) -> None:
        part[1].copy_(mask_in_runs(to_numpy(part[0].abs()), width, sparsity))

    for _ in parallel_map(fill, parts):
        pass
    return mask
