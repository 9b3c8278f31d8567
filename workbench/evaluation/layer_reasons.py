"""Reasons about single layers of a file, derived from the ledger and the rejected encodings."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, prod

from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Coded, Codes, Factors, Shared, Uncompressed
from workbench.compression.factorize import break_even_rank
from workbench.compression.quantize import bits_of
from workbench.evaluation import sparsity
from workbench.evaluation.reason import Reason
from workbench.evaluation.zero_reasons import (
    NOTICEABLE,
    CodedLayers,
    OriginalWeights,
    per_layer_sparsity,
    sparsity_gap,
)
from workbench.recipe import Recipe
from workbench.recipe.schema import specs

HEAVY = 0.25
CONSIDERABLE = 0.1
COMPRESSING = ("prune", "factorize", "share", "quantize")
"""The parts of a recipe that act on each layer's weights."""


def layer_reasons(
    artifact: Artifact,
    layers: CodedLayers,
    requested: float,
    achieved: float,
    original_weights: OriginalWeights,
) -> list[Reason]:
    """Return the reasons about `layers`, none of which is empty."""
    return [
        *_emptied(artifact, layers, original_weights),
        *_dense_kept(artifact, layers),
        *_index_heavy(artifact, layers),
        *_scales_heavy(artifact, layers),
        *_short_groups(artifact, layers),
        *_unfit_pattern(artifact, layers),
        *_all_shared(artifact, layers),
        *_not_factored(artifact, layers),
        *_left_alone(artifact, layers),
        *per_layer_sparsity(artifact, layers, requested),
        *sparsity_gap(artifact, layers, requested, achieved, original_weights),
        *_all_excluded(artifact, layers),
        *_factored(layers),
    ]


def _emptied(
    artifact: Artifact, layers: CodedLayers, original_weights: OriginalWeights
) -> Iterator[Reason]:
    """Name the largest layer without nonzero weights: one is enough to break every prediction."""
    empty = [
        (prod(coded.shape), name)
        for name, coded in layers.items()
        if sparsity.zeros(artifact, name) == prod(coded.shape)
    ]
    original = original_weights() if empty else {}
    empty = [(size, n) for size, n in empty if n not in original or bool(original[n].any())]
    if not empty:
        return
    name = max(empty)[1]
    coded, prune, share = layers[name], artifact.recipe.prune, artifact.recipe.share
    k_means = share is not None and share.method == "k_means"  # never rounds to zero
    all_pruned = isinstance(coded, Shared) and coded.zero and not coded.codes.any() and k_means
    by_pruning = artifact.recipe.prunes(name) and (all_pruned or not sparsity.is_rounded(coded))
    general = prune is not None and prune.scope != "adaptive" and name not in prune.layers
    yield Reason("emptied" if by_pruning and general else "all_zero", name, {}, len(artifact))


def _dense_kept(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    """Name layers with many zeros whose sparse encoding would be larger."""
    for name in layers:
        options = artifact.encodings.get(name)
        if options is None or options.sparse is None or not artifact.recipe.prunes(name):
            continue
        dense, sparse = options.dense.size, options.sparse.size
        if sparse <= dense:
            continue
        zeros = 1 - options.nonzero / options.dense.values.count
        if zeros > CONSIDERABLE / 2:
            numbers = {"zeros": zeros, "dense": dense, "sparse": sparse}
            yield Reason("dense_kept", name, numbers, dense)


def _index_heavy(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    for row in artifact.ledger.rows:
        values = row.values + row.uncompressed
        if row.name in layers and row.indices > max(values, CONSIDERABLE * len(artifact)):
            numbers = {"indices": row.indices, "values": values}
            yield Reason("index_heavy", row.name, numbers, row.indices)


def _scales_heavy(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    """Name layers whose scales or codebooks are large and could be smaller."""
    for row in artifact.ledger.rows:
        if row.name not in layers or row.scales <= HEAVY * row.total:
            continue
        kind = _reducible_scales(layers[row.name])
        if kind is not None and row.scales > NOTICEABLE * len(artifact):
            numbers = {"scales": row.scales, "bytes": row.total}
            yield Reason(kind, row.name, numbers, row.scales)


def _reducible_scales(coded: Coded) -> str | None:
    """Return the kind of reason that says how to reduce scales or codebooks; None if impossible."""
    parts = [coded.u, coded.v] if isinstance(coded, Factors) else [coded]
    codebooks = [part.codebook for part in parts if isinstance(part, Shared)]
    if any(len(codebook) > 1 for codebook in codebooks):
        return "codebook_heavy"
    if any(codebook.shape[1] > 2 for codebook in codebooks):
        return "codebook_long"
    scales = [part.scale.size for part in parts if isinstance(part, Codes)]
    return "scales_heavy" if max(scales, default=1) > 1 else None


def _short_groups(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    quantize = artifact.recipe.quantize
    if quantize is None or quantize.granularity != "group":
        return
    for name, coded in layers.items():
        if isinstance(coded, Codes) and 0 < coded.length < quantize.group_size:
            numbers = {"requested": quantize.group_size, "length": coded.length}
            yield Reason("short_groups", name, numbers, artifact.ledger[name].scales)


def _unfit_pattern(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    """Name layers that are smaller than one run or block of the pattern."""
    prune = artifact.recipe.prune
    if prune is None or prune.pattern == "free":
        return
    for name, coded in layers.items():
        if not artifact.recipe.prunes(name):
            continue
        rows, *others = coded.coded_shape
        length = prod(others)
        numbers = {"width": prune.width, "length": length}
        if prune.pattern == "n_m" and length < prune.width:
            yield Reason("short_runs", name, numbers, artifact.ledger[name].total)
        elif prune.pattern == "block" and min(rows, length) < prune.width:
            numbers |= {"rows": rows, "blocks": sparsity.blocks(prune, coded.coded_shape)}
            yield Reason("wide_blocks", name, numbers, artifact.ledger[name].total)


def _all_shared(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    all_shared = all(isinstance(coded, Shared) for coded in layers.values())
    if artifact.recipe.quantize is not None and all_shared:
        yield Reason("all_shared")


def _not_factored(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    factorize = artifact.recipe.factorize
    if factorize is None:
        return
    for name, coded in layers.items():
        if factorize.kept_fraction(name) < 1 and not isinstance(coded, Factors):
            size = artifact.ledger[name].total
            numbers = {"bytes": size, "rank": ceil(break_even_rank(coded.coded_shape))}
            yield Reason("not_factored", name, numbers, size)


def _left_alone(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    """Name large layers that the recipe deliberately leaves uncompressed."""
    recipe = artifact.recipe
    for name, coded in layers.items():
        size = artifact.ledger[name].total
        bits = bits_of(name, recipe.quantize) if recipe.quantize else 32
        untouched = isinstance(coded, Uncompressed) and not recipe.prunes(name) and bits == 32
        full_rank = recipe.factorize is None or recipe.factorize.kept_fraction(name) == 1
        if untouched and full_rank and size > HEAVY * len(artifact) and _by_choice(recipe, name):
            numbers = {"bytes": size, "file": len(artifact)}
            yield Reason("left_alone", name, numbers, size)


def _by_choice(recipe: Recipe, name: str) -> bool:
    """Whether the recipe excludes a layer, or includes only others."""
    parts = [part for key in COMPRESSING if (part := getattr(recipe, key)) is not None]
    if any(name in part.exclude for part in parts):
        return True
    prune, quantize = recipe.prune, recipe.quantize
    if prune is not None and prune.layers.get(name, float(prune.scope != "named")) == 0:
        return True
    return quantize is not None and quantize.layers.get(name) == 32


def _all_excluded(artifact: Artifact, layers: CodedLayers) -> Iterator[Reason]:
    for key in (*COMPRESSING, "activations"):
        part = getattr(artifact.recipe, key)
        if part is not None and all(name in part.exclude for name in layers):
            yield Reason("all_excluded", specs(part)[0].label)


def _factored(layers: CodedLayers) -> Iterator[Reason]:
    ranks = [
        f"{name} {coded.rank} / {ceil(break_even_rank(coded.coded_shape))}"
        for name, coded in layers.items()
        if isinstance(coded, Factors)
    ]
    if ranks:
        yield Reason("factored", ", ".join(ranks))
