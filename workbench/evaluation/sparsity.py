"""How many weights a recipe asks to be zero, its masks make zero, and a file holds as zero.

All are counted over the same weights: those of the layers, in the shapes that they have in the
file, which are smaller than the original's where channels were removed.
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
COMPETE = frozenset({"global", "adaptive"})
"""The scopes in which layers share one number of weights to lose."""


def requested(prune: Prune | None, shapes: Shapes) -> float:
    """Return the share of zeros that `prune` asks for over the layers of `shapes`, 0 to 1."""
    shares = {name: prune.sparsity_of(name) if prune else 0.0 for name in shapes}
    if len(set(shares.values())) < 2:  # exactly that share, not the quotient of rounded numbers
        return next(iter(shares.values()), 0.0)
    total = sum(map(prod, shapes.values()))
    return sum(shares[name] * prod(shape) for name, shape in shapes.items()) / (total or 1)


def masked(prune: Prune, shapes: Shapes) -> int:
    """Return how many weights the masks of `prune` set to zero; of blocks, how many blocks."""
    chosen = {name: shape for name, shape in shapes.items() if prune.sparsity_of(name)}
    if prune.pattern == "n:m":
        return sum(
            _in_runs(prune, prune.sparsity_of(name), shape) for name, shape in chosen.items()
        )
    units = {name: blocks(prune, shape) for name, shape in chosen.items()}
    pool = [name for name in chosen if name not in prune.layers and prune.scope in COMPETE]
    single = sum(
        round(prune.sparsity_of(name) * units[name]) for name in chosen if name not in pool
    )
    return single + round(prune.sparsity * sum(units[name] for name in pool))


def blocks(prune: Prune, shape: tuple[int, ...]) -> int:
    """Return how many weights, or blocks of the pattern, a tensor of `shape` has."""
    width = prune.width if prune.pattern == "block" else 1
    return -(-shape[0] // width) * -(-prod(shape[1:]) // width)


def _in_runs(prune: Prune, share: float, shape: tuple[int, ...]) -> int:
    """Return how many weights a tensor loses where each run keeps one at least."""
    runs, rest = divmod(prod(shape[1:]), prune.width)
    lengths = [(runs, prune.width), (1, rest)]
    lost = [many * min(round(share * n), n - 1) for many, n in lengths if n]
    return shape[0] * sum(lost)


def zeros(artifact: Artifact, name: str) -> int:
    """Return how many decoded weights of a tensor are zero."""
    coded = artifact.tensors[name]
    if isinstance(coded, Factors) or _hides_zeros(coded):
        return prod(coded.shape) - int(coded.tensor().count_nonzero())
    return prod(coded.shape) - artifact.encodings[name].nonzero


def _hides_zeros(coded: Coded) -> bool:
    """Whether a code other than the one of zero may stand for zero."""
    if isinstance(coded, Shared):
        return bool((coded.codebook == 0).any())
    return isinstance(coded, Codes) and bool((coded.scale == 0).any())


def zero_blocks(artifact: Artifact, name: str, width: int) -> tuple[int, int]:
    """Return how many blocks of `width` hold nothing but zeros, and how many weights those have."""
    coded = artifact.tensors[name]
    if not prod(coded.shape):
        return 0, 0
    tensor = coded.tensor() if coded.axes is None else coded.axes.to_canonical(coded.tensor())
    nonzero = matrix(tensor.numpy() != 0, coded.coded_shape).astype(np.float64)
    empty = block_sums(nonzero, width) == 0
    return int(empty.sum()), int(block_sums(np.ones(nonzero.shape), width)[empty].sum())


def is_rounded(coded: Coded) -> bool:
    """Whether a tensor's weights are rounded, so that small ones may have become zero."""
    return isinstance(coded, Codes | Shared) or (
        isinstance(coded, Uncompressed) and coded.dtype in ("bf16", "fp16")
    )
