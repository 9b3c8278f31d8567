"""Reasons why a file has more or fewer zeros than requested, derived from its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod

import numpy as np
from torch import Tensor

from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Coded
from workbench.evaluation import sparsity
from workbench.evaluation.reason import Reason

NOTICEABLE = 0.005
"""The smallest difference that is reported, as a fraction of all weights."""
PATTERNS = {"n_m": "one_stays", "block": "whole_blocks", "free": "whole_weights"}
"""The kind of reason for a number of zeros that results from the pattern and from rounding."""

CodedLayers = Mapping[str, Coded]
"""The layers that have weights, as stored in the file."""
OriginalWeights = Callable[[], Mapping[str, Tensor]]
"""Returns the tensors before compression by name; empty if training started from random weights."""


def per_layer_sparsity(
    artifact: Artifact, layers: CodedLayers, requested: float
) -> Iterator[Reason]:
    """Explain a requested sparsity that differs from the general setting."""
    prune = artifact.recipe.prune
    if prune is None or prune.scope == "named" or abs(requested - prune.sparsity) <= NOTICEABLE:
        return
    sign = 1 if requested > prune.sparsity else -1
    sizes = {name: prod(coded.shape) for name, coded in layers.items()}
    others = [
        size
        for name, size in sizes.items()
        if sign * (prune.sparsity_of(name) - prune.sparsity) > 0
    ]
    numbers = {
        "set_share": prune.sparsity,
        "requested_share": requested,
        "left_share": sum(others) / sum(sizes.values()),
    }
    yield Reason("set_higher" if sign > 0 else "less_sparse", "", numbers)


def sparsity_gap(
    artifact: Artifact,
    layers: CodedLayers,
    requested: float,
    achieved: float,
    original_weights: OriginalWeights,
) -> Iterator[Reason]:
    """Explain a number of zeros over all layers that differs from the request."""
    prune = artifact.recipe.prune
    if prune is None or abs(achieved - requested) <= NOTICEABLE:
        return
    shapes = {name: coded.coded_shape for name, coded in layers.items()}
    total = sum(map(prod, shapes.values()))
    units = masked = sparsity.masked(prune, shapes)
    blocks = 0
    if prune.pattern == "block":
        pruned = [name for name in layers if prune.sparsity_of(name)]
        counts = [sparsity.zero_blocks(artifact, name, prune.width) for name in pruned]
        blocks, weights = map(sum, zip(*counts, strict=True)) if counts else (0, 0)
        masked = weights if blocks <= units else units * prune.width**2
    numbers = {"requested_share": requested}
    by_pattern = blocks <= units and masked <= achieved * total + 0.5
    if by_pattern and abs(masked / total - requested) > NOTICEABLE:
        pattern_numbers = {**numbers, "made_share": masked / total, "width": prune.width}
        yield Reason(PATTERNS[prune.pattern], "", pattern_numbers)
    if achieved > requested:
        numbers["got_share"] = achieved
        yield from _more_zeros(artifact, layers, numbers, masked, original_weights)


def _more_zeros(
    artifact: Artifact,
    layers: CodedLayers,
    numbers: Mapping[str, float],
    masked: int,
    original_weights: OriginalWeights,
) -> Iterator[Reason]:
    """Explain zeros beyond the `masked` ones: from the original, or from rounding."""
    original = original_weights()
    total = sum(prod(coded.shape) for coded in layers.values())
    with_zeros = [name for name in layers if name in original and not bool(original[name].all())]
    same_shapes = all(original[n].shape == c.shape for n, c in layers.items() if n in original)
    if with_zeros and not same_shapes:  # channels are removed, their zeros cannot be attributed
        return
    old = sum(_zero_in_both(layers[name], original[name]) for name in with_zeros)
    zeros = {name: sparsity.zeros(artifact, name) for name in layers}
    new = sum(zeros.values()) - old
    if min(old, old + new - masked) > NOTICEABLE * total:
        yield Reason("already_zero", "", {**numbers, "before_share": old / total})
    rounded = sum(zeros[name] for name, coded in layers.items() if sparsity.is_rounded(coded))
    if new - masked > NOTICEABLE * total and rounded >= new - masked:
        yield Reason("rounded_to_zero", "", {**numbers, "rounded_share": (new - masked) / total})


def _zero_in_both(coded: Coded, weight: Tensor) -> int:
    return int(np.count_nonzero(((coded.tensor() == 0) & (weight == 0)).numpy()))
