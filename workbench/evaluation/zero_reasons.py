"""Why a file has more or fewer zeros than were asked for, found in its weights."""

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
"""A share of all weights from which on a difference is told of."""
PATTERNS = {"n:m": "one-stays", "block": "whole-blocks", "free": "whole-weights"}
"""The sentence about a number of zeros that follows from a pattern and from whole numbers."""

CodedLayers = Mapping[str, Coded]
"""The layers that have weights, as the file holds them."""
OriginalWeights = Callable[[], Mapping[str, Tensor]]
"""Returns the tensors that the file was made from, by name; none where they were random."""


def per_layer_sparsity(artifact: Artifact, held: CodedLayers, requested: float) -> Iterator[Reason]:
    """Say where the share asked for over all layers is not the one that is set for most."""
    prune = artifact.recipe.prune
    if prune is None or prune.scope == "layer" or abs(requested - prune.sparsity) <= NOTICEABLE:
        return
    lower = requested < prune.sparsity
    sizes = {name: prod(coded.shape) for name, coded in held.items()}
    others = [
        size
        for name, size in sizes.items()
        if (
            prune.sparsity_of(name) < prune.sparsity
            if lower
            else prune.sparsity_of(name) > prune.sparsity
        )
    ]
    numbers = {
        "set_share": prune.sparsity,
        "asked_share": requested,
        "left_share": sum(others) / sum(sizes.values()),
    }
    yield Reason("less-sparse" if lower else "set-higher", "", numbers, 0)


def sparsity_gap(
    artifact: Artifact,
    held: CodedLayers,
    requested: float,
    achieved: float,
    before: OriginalWeights,
) -> Iterator[Reason]:
    """Say why more or fewer weights are zero than was asked for, of all layers."""
    prune = artifact.recipe.prune
    if prune is None or abs(achieved - requested) <= NOTICEABLE:
        return
    shapes = {name: coded.coded_shape for name, coded in held.items()}
    total = sum(map(prod, shapes.values()))
    made, blocks = sparsity.masked(prune, shapes), 0
    if prune.pattern == "block":
        each = [
            sparsity.zero_blocks(artifact, name, prune.width)
            for name in held
            if prune.sparsity_of(name)
        ]
        blocks, inside = (sum(numbers) for numbers in zip(*each, strict=True)) if each else (0, 0)
        made = inside if blocks <= made else made * prune.width**2
    asked = {"asked_share": requested}
    by_pattern = blocks <= sparsity.masked(prune, shapes) and made <= achieved * total + 0.5
    if by_pattern and abs(made / total - requested) > NOTICEABLE:
        numbers = {**asked, "made_share": made / total, "width": prune.width}
        yield Reason(PATTERNS[prune.pattern], "", numbers, 0)
    if achieved > requested:
        yield from _more_zeros(artifact, held, {**asked, "got_share": achieved}, made, before)


def _more_zeros(
    artifact: Artifact,
    held: CodedLayers,
    numbers: Mapping[str, float],
    made: int,
    before: OriginalWeights,
) -> Iterator[Reason]:
    """Say where zeros come from beyond the `made` ones of the masks: the original, or rounding."""
    own = before()
    total = sum(prod(coded.shape) for coded in held.values())
    known = all(name not in own or own[name].shape == coded.shape for name, coded in held.items())
    bare = [name for name in held if name in own and not bool(own[name].all())]
    if bare and not known:  # channels are gone, and the zeros among them cannot be told
        return
    old = sum(_zero_in_both(held[name], own[name]) for name in bare)
    zeros = {name: sparsity.zeros(artifact, name) for name in held}
    new = sum(zeros.values()) - old
    if min(old, old + new - made) > NOTICEABLE * total:
        yield Reason("already-zero", "", {**numbers, "before_share": old / total}, 0)
    rounded = sum(zeros[name] for name, coded in held.items() if sparsity.is_rounded(coded))
    if new - made > NOTICEABLE * total and rounded >= new - made:
        share = {"rounded_share": (new - made) / total}
        yield Reason("rounded-to-zero", "", {**numbers, **share}, 0)


def _zero_in_both(coded: Coded, weight: Tensor) -> int:
    return int(np.count_nonzero(((coded.tensor() == 0) & (weight == 0)).numpy()))
