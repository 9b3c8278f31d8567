"""Sparsity as requested by a recipe, as set by its masks, and as stored in a file.

All are counted over the weights of the layers in the shapes of the file, which are smaller than the
original's if channels were removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Coded, Codes, Factors, Shared, Uncompressed
from workbench.compression.sparsity_patterns import block_sums, matrix
from workbench.recipe import Prune

Shapes = Mapping[str, tuple[int, ...]]
POOLED_SCOPES = frozenset({"global", "adaptive"})
"""Scopes in which all layers share one budget of pruned weights."""


def requested(prune: Prune | None, shapes: Shapes) -> float:
    """Return the requested fraction of zeros over the layers of `shapes`, 0 to 1."""
    shares = {name: prune.sparsity_of(name) if prune else 0.0 for name in shapes}
    if len(set(shares.values())) < 2:  # exact, without a quotient of rounded counts
        return next(iter(shares.values()), 0.0)
    total = sum(map(prod, shapes.values()))
    return sum(shares[name] * prod(shape) for name, shape in shapes.items()) / (total or 1)


def masked(prune: Prune, shapes: Shapes) -> int:
    """Return the number of weights (or blocks, for that pattern) that the masks set to zero."""
    chosen = {name: shape for name, shape in shapes.items() if prune.sparsity_of(name)}
    if prune.pattern == "n_m":
        return sum(
            _in_runs(prune, prune.sparsity_of(name), shape) for name, shape in chosen.items()
        )
    units = {name: blocks(prune, shape) for name, shape in chosen.items()}
    pool = [name for name in chosen if name not in prune.layers and prune.scope in POOLED_SCOPES]
    single = sum(
        round(prune.sparsity_of(name) * units[name]) for name in chosen if name not in pool
    )
    return single + round(prune.sparsity * sum(units[name] for name in pool))


def blocks(prune: Prune, shape: tuple[int, ...]) -> int:
    """Return the number of weights (or blocks, for that pattern) in a tensor of `shape`."""
    width = prune.width if prune.pattern == "block" else 1
    return -(-shape[0] // width) * -(-prod(shape[1:]) // width)


def _in_runs(prune: Prune, fraction: float, shape: tuple[int, ...]) -> int:
    """Return the number of pruned weights; each run keeps at least one."""
    runs, rest = divmod(prod(shape[1:]), prune.width)
    lengths = [(runs, prune.width), (1, rest)]
    pruned = [count * min(round(fraction * n), n - 1) for count, n in lengths if n]
    return shape[0] * sum(pruned)


def zeros(artifact: Artifact, name: str) -> int:
    """Return the number of decoded weights that are zero."""
    coded = artifact.tensors[name]
    if isinstance(coded, Factors) or _hides_zeros(coded):
        return prod(coded.shape) - int(coded.tensor().count_nonzero())
    return prod(coded.shape) - artifact.encodings[name].nonzero


def _hides_zeros(coded: Coded) -> bool:
    """Whether a nonzero code may decode to zero."""
    if isinstance(coded, Shared):
        return bool((coded.codebook == 0).any())
    return isinstance(coded, Codes) and bool((coded.scale == 0).any())


def zero_blocks(artifact: Artifact, name: str, width: int) -> tuple[int, int]:
    """Return the number of all-zero blocks of `width`, and the number of weights in them."""
    coded = artifact.tensors[name]
    if not prod(coded.shape):
        return 0, 0
    tensor = coded.tensor() if coded.axes is None else coded.axes.to_canonical(coded.tensor())
    nonzero = matrix(tensor.numpy() != 0, coded.coded_shape).astype(np.float64)
    empty = block_sums(nonzero, width) == 0
    return int(empty.sum()), int(block_sums(np.ones(nonzero.shape), width)[empty].sum())


def is_rounded(coded: Coded) -> bool:
    """Whether the weights are rounded, so that small ones may become zero."""
    return isinstance(coded, Codes | Shared) or (
        isinstance(coded, Uncompressed) and coded.dtype in ("bf16", "fp16")
    )
