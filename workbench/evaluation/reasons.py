"""Why not: which choices did not pay, found in the ledger and in the forms not taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from types import MappingProxyType

from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Codes, Factors, Shared
from workbench.compression.factorize import break_even
from workbench.evaluation.reason import Reason
from workbench.recipe import Prune, Recipe
from workbench.recipe.schema import specs

HEAVY = 0.25
CONSIDERABLE = 0.1
NOTICEABLE = 0.005
LISTED = 12
"""Names in one sentence at most."""


def reasons(
    artifact: Artifact,
    *,
    requested: float,
    achieved: float,
    original: int,
    macs: int,
    structure: Mapping[str, float] | None = None,
    makers: Collection[str] = (),
    left_alone: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[Reason, ...]:
    """Return what kept the file of `artifact` from being smaller or faster, the weightiest first.

    `requested` and `achieved` are shares of zeros, `original` the bytes of the dense file, `macs`
    the multiply-adds of an example, `structure` what became of the channels, as in a `Size`, and
    `makers` the weights of layers that can lose channels. `left_alone` are the places that
    adjustments have left as they were, by the kind of reason.
    """
    if artifact.recipe == Recipe():
        return ()
    found = [
        *_emptied(artifact),
        *_dense_kept(artifact),
        *_index_heavy(artifact),
        *_scales_heavy(artifact),
        *_short_groups(artifact),
        *_unfit_pattern(artifact),
        *_all_shared(artifact),
        *_not_factored(artifact),
        *_left_alone(artifact),
        *_shared_costs(artifact),
        *_sparsity_gap(artifact, requested, achieved),
        *_all_excluded(artifact),
        *_factored(artifact),
        *_channels(structure),
        *_without_channels(artifact, makers),
        *_norms(artifact),
        *(Reason(kind, _listed(names), {}, 0) for kind, names in left_alone.items() if names),
        *_inputs(artifact),
    ]
    if len(artifact) >= original:
        found.append(Reason("grew", "", {"more": len(artifact) - original}, len(artifact)))
    elif artifact.recipe.untrained != Recipe() and not artifact.form.smaller:
        kind = "no-faster" if artifact.recipe.prune is not None else "decoded-first"
        found.append(Reason(kind, "", {"macs": macs}, 0))
    return tuple(sorted(found, key=lambda reason: -reason.weight))


def _emptied(artifact: Artifact) -> Iterator[Reason]:
    """Name the largest layer without weights: one is enough to spoil every prediction."""
    bare = [
        (forms.dense.values.count, name)
        for name, forms in artifact.considered.items()
        if not forms.nonzero
    ]
    if bare:
        yield Reason("emptied", max(bare)[1], {}, len(artifact))


def _dense_kept(artifact: Artifact) -> Iterator[Reason]:
    for name, forms in artifact.considered.items():
        if artifact.recipe.prune is None or forms.sparse is None:
            continue
        if forms.sparse.size <= forms.dense.size:
            continue
        zeros = 1 - forms.nonzero / forms.dense.values.count
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
            shared = isinstance(artifact.tensors[row.name], Shared)
            kind = "codebook-heavy" if shared else "scales-heavy"
            yield Reason(kind, row.name, numbers, row.scales)


def _short_groups(artifact: Artifact) -> Iterator[Reason]:
    asked = artifact.recipe.quantize
    if asked is None or asked.granularity != "group":
        return
    for name, coded in artifact.tensors.items():
        if isinstance(coded, Codes) and 0 < coded.length < asked.group_size:
            numbers = {"asked": asked.group_size, "length": coded.length}
            yield Reason("short-groups", name, numbers, artifact.ledger[name].scales)


def _unfit_pattern(artifact: Artifact) -> Iterator[Reason]:
    asked = artifact.recipe.prune
    if asked is None or asked.pattern == "free":
        return
    for name, coded in artifact.tensors.items():
        if len(coded.shape) < 2 or _by_choice(artifact.recipe, name):
            continue
        rows, length = coded.shape[0], prod(coded.shape[1:])
        numbers = {"width": asked.width, "length": length}
        if asked.pattern == "n:m" and 0 < length < asked.width:
            yield Reason("short-runs", name, numbers, artifact.ledger[name].total)
        elif asked.pattern == "block" and 0 < min(rows, length) < asked.width:
            numbers["rows"] = rows
            yield Reason("wide-blocks", name, numbers, artifact.ledger[name].total)


def _all_shared(artifact: Artifact) -> Iterator[Reason]:
    large = [coded for coded in artifact.tensors.values() if len(coded.shape) >= 2]
    if artifact.recipe.quantize is not None and all(isinstance(one, Shared) for one in large):
        yield Reason("all-shared", "", {}, 0)


def _not_factored(artifact: Artifact) -> Iterator[Reason]:
    asked = artifact.recipe.factorize
    if asked is None:
        return
    for name, coded in artifact.tensors.items():
        if len(coded.shape) >= 2 and asked.kept_of(name) < 1 and not isinstance(coded, Factors):
            size = artifact.ledger[name].total
            numbers = {"bytes": size, "rank": int(break_even(coded.shape))}
            yield Reason("not-factored", name, numbers, size)


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
    prune = artifact.recipe.prune
    if prune is None or abs(achieved - requested) <= NOTICEABLE:
        return
    higher = any(share > requested for share in prune.layers.values())
    by_hand = bool(prune.layers or prune.exclude)
    if prune.pattern == "n:m" and abs(_in_runs(prune) - requested) > NOTICEABLE:
        yield Reason("one-stays", "", {**numbers, "width": prune.width}, 0)
    elif prune.pattern == "block" and not by_hand and not _coarse(artifact, achieved, requested):
        yield Reason("whole-blocks", "", numbers, 0)
    elif achieved < requested:
        yield Reason("less-sparse", "", numbers, 0)
    else:
        yield Reason("set-higher" if higher else "rounded-to-zero", "", numbers, 0)


def _all_excluded(artifact: Artifact) -> Iterator[Reason]:
    large = {name for name, coded in artifact.tensors.items() if len(coded.shape) >= 2}
    for key in ("factorize", "share", "quantize", "activations"):
        part = getattr(artifact.recipe, key)
        if part is not None and large <= set(part.exclude):
            yield Reason("all-excluded", specs(part)[0].label, {}, 0)


def _factored(artifact: Artifact) -> Iterator[Reason]:
    found = [
        f"{name} {coded.rank} / {int(break_even(coded.shape))}"
        for name, coded in artifact.tensors.items()
        if isinstance(coded, Factors)
    ]
    if found:
        yield Reason("factored", ", ".join(found), {}, 0)


def _channels(structure: Mapping[str, float] | None) -> Iterator[Reason]:
    if structure is not None and structure["channels_removed"] == 0:
        yield Reason("few-channels", "", {"asked_share": structure["channels_asked"]}, 0)
    if structure is not None and structure["channels_removed"] > 0:
        numbers = {
            "asked_share": structure["channels_asked"],
            "got_share": structure["channels_removed"],
            "weights_share": structure["weights_removed"],
            "macs_share": structure["macs_removed"],
        }
        yield Reason("channels", "", numbers, 0)


def _without_channels(artifact: Artifact, makers: Collection[str]) -> Iterator[Reason]:
    asked = artifact.recipe.structure
    for name in asked.layers if asked is not None else ():
        if name not in makers:
            yield Reason("no-channels", name, {}, 0)


def _norms(artifact: Artifact) -> Iterator[Reason]:
    recipe = artifact.recipe
    left = any(name.endswith(".running_var") for name in artifact.tensors)
    if (recipe.folds or recipe.recalibrates) and not left and not artifact.form.folded:
        yield Reason("no-norms", "", {}, 0)
    if recipe.equalizes and left:
        yield Reason("norms-between", "", {}, 0)


def _listed(names: Sequence[str]) -> str:
    """Return the first few of `names`, and how many there are of more."""
    more = f", … ({len(names):,})" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _inputs(artifact: Artifact) -> Iterator[Reason]:
    rounded = [f"{path}.weight" for path, _grid in artifact.form.inputs]
    if not rounded:
        asked = artifact.recipe.activations
        large = {name for name, coded in artifact.tensors.items() if len(coded.shape) >= 2}
        if artifact.recipe.rounds_inputs and asked and not large <= set(asked.exclude):
            yield Reason("no-inputs", "", {}, 0)
        return
    yield Reason("simulated", "", {}, 0)
    for name in rounded:
        coded = artifact.tensors[name]
        if not isinstance(coded, Codes) or not coded.counts_by_row:
            yield Reason("no-integers", name, {}, 0)
            return  # one is enough to say what it takes


def _coarse(artifact: Artifact, achieved: float, requested: float) -> bool:
    """Whether zeros beyond those asked for can come of the few values that weights may take."""
    few = any(isinstance(coded, Codes | Shared) for coded in artifact.tensors.values())
    return few and achieved > requested


def _in_runs(prune: Prune) -> float:
    """Return the share of zeros in runs of which a whole number stays, and at least one."""
    return min(round(prune.sparsity * prune.width), prune.width - 1) / prune.width
