"""Why not: which choices did not pay, found in the ledger and in the forms not taken."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Codes
from workbench.evaluation.reason import Reason
from workbench.recipe import Recipe

HEAVY = 0.25
CONSIDERABLE = 0.1
NOTICEABLE = 0.005


def reasons(
    artifact: Artifact, *, requested: float, achieved: float, original: int, macs: int
) -> tuple[Reason, ...]:
    """Return what kept the file of `artifact` from being smaller or faster, the weightiest first.

    `requested` and `achieved` are shares of zeros, `original` the bytes of the dense file, `macs`
    the multiply-adds of an example.
    """
    if artifact.recipe == Recipe():
        return ()
    found = [
        *_emptied(artifact),
        *_dense_kept(artifact),
        *_index_heavy(artifact),
        *_scales_heavy(artifact),
        *_short_groups(artifact),
        *_left_alone(artifact),
        *_shared_costs(artifact),
        *_sparsity_gap(artifact, requested, achieved),
    ]
    if len(artifact) >= original:
        found.append(Reason("grew", "", {"more": len(artifact) - original}, len(artifact)))
    elif artifact.recipe.untrained != Recipe():
        found.append(Reason("no-faster", "", {"macs": macs}, 0))
    return tuple(sorted(found, key=lambda reason: -reason.weight))


def _emptied(artifact: Artifact) -> Iterator[Reason]:
    """Name the largest layer without weights: one is enough to spoil every prediction."""
    bare = [
        (forms.dense.values.count, name)
        for name, forms in artifact.considered.items()
        if not forms.positions.size
    ]
    if bare:
        yield Reason("emptied", max(bare)[1], {}, len(artifact))


def _dense_kept(artifact: Artifact) -> Iterator[Reason]:
    for name, forms in artifact.considered.items():
        if artifact.recipe.prune is None or forms.sparse is None or forms.best is forms.sparse:
            continue
        zeros = 1 - forms.positions.size / forms.dense.values.count
        if zeros > CONSIDERABLE / 2:
            dense, sparse = forms.dense.size, forms.sparse.size
            numbers = {"zeros": zeros, "dense": dense, "sparse": sparse}
            yield Reason("dense-kept", name, numbers, dense)


def _index_heavy(artifact: Artifact) -> Iterator[Reason]:
    for row in artifact.ledger.rows:
        values = row.values + row.plain
        if row.indices > max(values, CONSIDERABLE * len(artifact)):
            numbers = {"indices": row.indices, "values": values}
            yield Reason("index-heavy", row.name, numbers, row.indices)


def _scales_heavy(artifact: Artifact) -> Iterator[Reason]:
    for row in artifact.ledger.rows:
        if row.scales > HEAVY * row.total and row.scales > NOTICEABLE * len(artifact):
            numbers = {"scales": row.scales, "bytes": row.total}
            yield Reason("scales-heavy", row.name, numbers, row.scales)


def _short_groups(artifact: Artifact) -> Iterator[Reason]:
    asked = artifact.recipe.quantize
    if asked is None or asked.granularity != "group":
        return
    for name, coded in artifact.tensors.items():
        if isinstance(coded, Codes) and 0 < coded.length < asked.group_size:
            numbers = {"asked": asked.group_size, "length": coded.length}
            yield Reason("short-groups", name, numbers, artifact.ledger[name].scales)


def _left_alone(artifact: Artifact) -> Iterator[Reason]:
    for row in artifact.ledger.rows:
        untouched = len(row.shape) >= 2 and row.plain == 4 * prod(row.shape)
        if (
            untouched
            and row.plain > HEAVY * len(artifact)
            and _by_choice(artifact.recipe, row.name)
        ):
            numbers = {"bytes": row.plain, "file": len(artifact)}
            yield Reason("left-alone", row.name, numbers, row.plain)


def _by_choice(recipe: Recipe, name: str) -> bool:
    prune, quantize = recipe.prune, recipe.quantize
    if prune is not None and (name in prune.exclude or prune.layers.get(name) == 0):
        return True
    if prune is not None and prune.scope == "layer" and name not in prune.layers:
        return True
    return quantize is not None and (name in quantize.exclude or quantize.layers.get(name) == 32)


def _shared_costs(artifact: Artifact) -> Iterator[Reason]:
    small = sum(row.total for row in artifact.ledger.rows if len(row.shape) < 2)
    for kind, size in (("container", artifact.ledger.container), ("one-dimensional", small)):
        if size > CONSIDERABLE * len(artifact):
            yield Reason(kind, "", {"bytes": size, "file": len(artifact)}, size)


def _sparsity_gap(artifact: Artifact, requested: float, achieved: float) -> Iterator[Reason]:
    numbers = {"asked_share": requested, "got_share": achieved}
    if achieved < requested - NOTICEABLE:
        yield Reason("less-sparse", "", numbers, 0)
    elif artifact.recipe.prune is not None and achieved > requested + NOTICEABLE:
        by_hand = any(share > requested for share in artifact.recipe.prune.layers.values())
        yield Reason("set-higher" if by_hand else "rounded-to-zero", "", numbers, 0)
