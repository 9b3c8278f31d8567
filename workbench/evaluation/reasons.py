"""Why not: which choices did not pay, found in the ledger and in the forms not taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import ceil, prod
from types import MappingProxyType

from workbench.artifact.artifact import Artifact
from workbench.compression.channel_pruning import removed_fraction
from workbench.compression.channels import UnprunedLayers
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
from workbench.recipe import Recipe, Structure
from workbench.recipe.schema import specs

HEAVY = 0.25
CONSIDERABLE = 0.1
COMPRESSING = ("prune", "factorize", "share", "quantize")
"""The parts of a recipe that act on each layer's weights."""
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
    whole: Sequence[UnprunedLayers] = (),
    unadjusted: Mapping[str, Sequence[str]] = MappingProxyType({}),
    layers: Collection[str],
    roundable: Collection[str] = (),
    normalizes: bool = False,
    before: OriginalWeights,
) -> tuple[Reason, ...]:
    """Return what kept the file of `artifact` from being smaller or faster, the weightiest first.

    Each is told only where its condition holds for this very file.

    Parameters
    ----------
    requested, achieved
        Shares of zeros over the weights of all `layers`.
    original
        Bytes of the dense file.
    macs
        The multiply-adds of an example.
    structure
        What became of the channels, as in a `Size`.
    whole
        The layers that cannot lose channels.
    layers
        The tensors of the file that recipes compress.
    taking
        Those whose layer takes inputs that can be rounded.
    normalizes
        Whether the file's module has batch norms.
    left_alone
        The places that adjustments have left as they were, by the kind of reason.
    before
        Returns the original's tensors by name; called where they are needed.
    """
    if artifact.recipe == Recipe():
        return ()
    held = {name: artifact.tensors[name] for name in layers if prod(artifact.tensors[name].shape)}
    train = artifact.recipe.train
    begun: OriginalWeights = dict if train is not None and train.start == "scratch" else before
    found = [
        *(_of_layers(artifact, held, requested, achieved, begun) if held else _nothing(artifact)),
        *_shared_costs(artifact, layers),
        *_channels(artifact.recipe.structure, structure),
        *_whole(artifact.recipe.structure, whole),
        *_norms(artifact, normalizes),
        *(Reason(kind, _listed(names), {}, 0) for kind, names in unadjusted.items() if names),
        *_inputs(artifact, roundable),
        *_length(artifact, original, before),
        *_speed(artifact, held, original, achieved, macs),
    ]
    return tuple(sorted(found, key=lambda reason: -reason.weight))


def _of_layers(
    artifact: Artifact,
    held: CodedLayers,
    requested: float,
    achieved: float,
    before: OriginalWeights,
) -> list[Reason]:
    """Return what is told of layers `held` by the file, which have weights."""
    return [
        *_emptied(artifact, held, before),
        *_dense_kept(artifact, held),
        *_index_heavy(artifact, held),
        *_scales_heavy(artifact, held),
        *_short_groups(artifact, held),
        *_unfit_pattern(artifact, held),
        *_all_shared(artifact, held),
        *_not_factored(artifact, held),
        *_left_alone(artifact, held),
        *per_layer_sparsity(artifact, held, requested),
        *sparsity_gap(artifact, held, requested, achieved, before),
        *_all_excluded(artifact, held),
        *_factored(held),
    ]


def _nothing(artifact: Artifact) -> list[Reason]:
    """Return that nothing could be compressed, where that was asked for."""
    asked = any(getattr(artifact.recipe, key) for key in COMPRESSING)
    return [Reason("nothing", "", {}, 0)] if asked else []


def _emptied(artifact: Artifact, held: CodedLayers, before: OriginalWeights) -> Iterator[Reason]:
    """Name the largest layer without weights: one is enough to spoil every prediction."""
    bare = [
        (prod(coded.shape), name)
        for name, coded in held.items()
        if sparsity.zeros(artifact, name) == prod(coded.shape)
    ]
    if not bare:
        return
    own = before()
    bare = [(size, name) for size, name in bare if name not in own or bool(own[name].any())]
    if not bare:
        return
    name = max(bare)[1]
    recipe = artifact.recipe
    competed = recipe.prune is not None and recipe.prune.scope != "adaptive"
    coded = held[name]
    shared = recipe.share is not None and recipe.share.method == "k-means"  # rounds none to zero
    none_left = isinstance(coded, Shared) and coded.zero and not coded.codes.any() and shared
    by_pruning = recipe.prunes(name) and (none_left or not sparsity.is_rounded(coded))
    if by_pruning and competed and recipe.prune and name not in recipe.prune.layers:
        yield Reason("emptied", name, {}, len(artifact))
    else:
        yield Reason("all-zero", name, {}, len(artifact))


def _dense_kept(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    for name in held:
        forms = artifact.encodings.get(name)
        if forms is None or forms.sparse is None or not artifact.recipe.prunes(name):
            continue
        if forms.sparse.size <= forms.dense.size:
            continue
        zeros = 1 - forms.nonzero / forms.dense.values.count
        if zeros > CONSIDERABLE / 2:
            dense, sparse = forms.dense.size, forms.sparse.size
            numbers = {"zeros": zeros, "dense": dense, "sparse": sparse}
            yield Reason("dense-kept", name, numbers, dense)


def _index_heavy(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    for row in artifact.ledger.rows:
        values = row.values + row.plain
        if row.name in held and row.indices > max(values, CONSIDERABLE * len(artifact)):
            numbers = {"indices": row.indices, "values": values}
            yield Reason("index-heavy", row.name, numbers, row.indices)


def _scales_heavy(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    """Name layers whose scales or codebooks are long and can be shortened."""
    for row in artifact.ledger.rows:
        if row.name not in held or row.scales <= HEAVY * row.total:
            continue
        if row.scales > NOTICEABLE * len(artifact):
            numbers = {"scales": row.scales, "bytes": row.total}
            kind = _scaled(held[row.name])
            if kind is not None:
                yield Reason(kind, row.name, numbers, row.scales)


def _scaled(coded: Coded) -> str | None:
    """Return the kind of sentence about scales that says how there would be fewer, if so."""
    singles = [coded.u, coded.v] if isinstance(coded, Factors) else [coded]
    books = [one.codebook for one in singles if isinstance(one, Shared)]
    if any(len(book) > 1 for book in books):
        return "codebook-heavy"
    if any(book.shape[1] > 2 for book in books):
        return "codebook-long"
    scales = [one.scale.size for one in singles if isinstance(one, Codes)]
    return "scales-heavy" if max(scales, default=1) > 1 else None


def _short_groups(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    asked = artifact.recipe.quantize
    if asked is None or asked.granularity != "group":
        return
    for name, coded in held.items():
        if isinstance(coded, Codes) and 0 < coded.length < asked.group_size:
            numbers = {"asked": asked.group_size, "length": coded.length}
            yield Reason("short-groups", name, numbers, artifact.ledger[name].scales)


def _unfit_pattern(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    asked = artifact.recipe.prune
    if asked is None or asked.pattern == "free":
        return
    for name, coded in held.items():
        if not artifact.recipe.prunes(name):
            continue
        rows, *others = coded.coded_shape
        length = prod(others)
        numbers = {"width": asked.width, "length": length}
        if asked.pattern == "n:m" and length < asked.width:
            yield Reason("short-runs", name, numbers, artifact.ledger[name].total)
        elif asked.pattern == "block" and min(rows, length) < asked.width:
            numbers |= {"rows": rows, "blocks": sparsity.blocks(asked, coded.coded_shape)}
            yield Reason("wide-blocks", name, numbers, artifact.ledger[name].total)


def _all_shared(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    if artifact.recipe.quantize is not None and all(
        isinstance(coded, Shared) for coded in held.values()
    ):
        yield Reason("all-shared", "", {}, 0)


def _not_factored(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    asked = artifact.recipe.factorize
    if asked is None:
        return
    for name, coded in held.items():
        if asked.kept_fraction(name) < 1 and not isinstance(coded, Factors):
            size = artifact.ledger[name].total
            numbers = {"bytes": size, "rank": ceil(break_even_rank(coded.coded_shape))}
            yield Reason("not-factored", name, numbers, size)


def _left_alone(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    """Name large layers that the recipe compresses nowhere, though it compresses others."""
    recipe = artifact.recipe
    for name, coded in held.items():
        size = artifact.ledger[name].total
        bits = bits_of(name, recipe.quantize) if recipe.quantize else 32
        untouched = isinstance(coded, Uncompressed) and not recipe.prunes(name) and bits == 32
        whole = recipe.factorize is None or recipe.factorize.kept_fraction(name) == 1
        if untouched and whole and size > HEAVY * len(artifact) and _by_choice(recipe, name):
            numbers = {"bytes": size, "file": len(artifact)}
            yield Reason("left-alone", name, numbers, size)


def _by_choice(recipe: Recipe, name: str) -> bool:
    """Whether a part of the recipe names a layer, or only others, to leave it alone."""
    parts = [part for key in COMPRESSING if (part := getattr(recipe, key)) is not None]
    if any(name in part.exclude for part in parts):
        return True
    prune, quantize = recipe.prune, recipe.quantize
    if prune is not None and prune.layers.get(name, float(prune.scope != "layer")) == 0:
        return True
    return quantize is not None and quantize.layers.get(name) == 32


def _shared_costs(artifact: Artifact, layers: Collection[str]) -> Iterator[Reason]:
    """Name what is large beside the layers: the header, values of one axis, other tensors."""
    rest = [row for row in artifact.ledger.rows if row.name not in layers]
    small = sum(row.total for row in rest if len(row.shape) < 2)
    large = sum(row.total for row in rest if len(row.shape) >= 2)
    sizes = {
        "container": artifact.ledger.container,
        "one-dimensional": small,
        "other-tensors": large,
    }
    for kind, size in sizes.items():
        if size > CONSIDERABLE * len(artifact):
            yield Reason(kind, "", {"bytes": size, "file": len(artifact)}, size)


def _all_excluded(artifact: Artifact, held: CodedLayers) -> Iterator[Reason]:
    for key in ("prune", "factorize", "share", "quantize", "activations"):
        part = getattr(artifact.recipe, key)
        if part is not None and held.keys() <= set(part.exclude):
            yield Reason("all-excluded", specs(part)[0].label, {}, 0)


def _factored(held: CodedLayers) -> Iterator[Reason]:
    found = [
        f"{name} {coded.rank} / {ceil(break_even_rank(coded.coded_shape))}"
        for name, coded in held.items()
        if isinstance(coded, Factors)
    ]
    if found:
        yield Reason("factored", ", ".join(found), {}, 0)


def _channels(asked: Structure | None, structure: Mapping[str, float] | None) -> Iterator[Reason]:
    if asked is None or structure is None:
        return
    share = {"asked_share": structure["channels_asked"]}
    if structure["channels_removed"] > 0:
        numbers = {
            **share,
            "got_share": structure["channels_removed"],
            "weights_share": structure["weights_removed"],
            "macs_share": structure["macs_removed"],
        }
        yield Reason("channels", "", numbers, 0)
    elif share["asked_share"] > 0 and asked.multiple > 1:
        yield Reason("few-multiples", "", {**share, "width": asked.multiple}, 0)
    elif share["asked_share"] > 0:
        yield Reason("few-channels", "", share, 0)
    elif asked.scope == "layer" and not asked.layers:
        yield Reason("no-layers", "", {}, 0)


WHOLE = {
    "output": "no-channels",
    "kind": "kind-whole",
    "between": "mixed-whole",
    "fails": "fails-whole",
    "unseen": "unseen-whole",
    "graph": "not-followed",
}
"""The sentence for each reason why a layer keeps its channels."""


def _whole(asked: Structure | None, whole: Sequence[UnprunedLayers]) -> Iterator[Reason]:
    """Name layers that were asked to lose channels and cannot, those of one cause together.

    That the outputs of one last layer are the network's own is said only where it was named.
    """
    causes: dict[tuple[str, str], list[str]] = {}
    for one in whole:
        named = asked is not None and bool({*one.layers} & {*asked.layers})
        if asked is None or not any(removed_fraction([name], asked) for name in one.layers):
            continue
        if named or one.reason != "output" or len(one.layers) > 1:
            causes.setdefault((WHOLE[one.reason], one.detail), []).extend(one.layers)
    for (kind, what), layers in causes.items():
        yield Reason(kind, _listed(layers), {}, 0, what)


def _norms(artifact: Artifact, normalizes: bool) -> Iterator[Reason]:
    recipe = artifact.recipe
    if (recipe.folds or recipe.recalibrates) and not normalizes and not artifact.spec.folded:
        yield Reason("no-norms", "", {}, 0)
    if recipe.equalizes and normalizes and not recipe.folds:
        yield Reason("norms-between", "", {}, 0)


def _listed(names: Sequence[str]) -> str:
    """Return the first few of `names`, and how many there are of more."""
    more = f", … ({len(names):,})" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _inputs(artifact: Artifact, roundable: Collection[str]) -> Iterator[Reason]:
    """Say what became of the inputs of layers; those with the weights `taking` have some."""
    asked = artifact.recipe.activations
    if asked is None or not artifact.recipe.quantizes_activations:
        return
    rounded = [f"{path}.weight" for path, _grid in artifact.spec.inputs]
    if not rounded and not roundable:
        yield Reason("no-inputs", "", {}, 0)
    elif not rounded and set(roundable) <= set(asked.exclude):
        yield Reason("inputs-excluded", "", {}, 0)
    if not rounded:
        return
    held = {name: artifact.tensors[name] for name in rounded}
    others = [
        name
        for name, coded in held.items()
        if not isinstance(coded, Codes) or not coded.has_row_scales
    ]
    if len(others) < len(held):
        yield Reason("simulated", "", {}, 0)
    for name in others[:1]:  # one is enough to say what it takes
        if prod(held[name].shape):
            yield Reason("no-integers", name, {}, 0)


def _length(artifact: Artifact, original: int, before: OriginalWeights) -> Iterator[Reason]:
    """Say why a file is longer than the original's: its header, or its tensors."""
    more = len(artifact) - original
    if more <= 0:
        return
    now = len(artifact) - artifact.ledger.container
    whole = sum(t.numel() * t.element_size() for t in before().values())
    numbers = {"more": more, "now": now, "before": whole, "header": artifact.ledger.container}
    if whole > original and now > original:  # widened from half precision
        yield Reason("wider", "", {**numbers, "before": original}, len(artifact))
    elif whole <= original:
        kind = "grew" if now < whole else "not-smaller" if now == whole else "longer-tensors"
        yield Reason(kind, "", numbers, len(artifact))


def _speed(
    artifact: Artifact, held: CodedLayers, original: int, achieved: float, macs: int
) -> Iterator[Reason]:
    """Say that a smaller file is no faster where it takes the multiply-adds of the original."""
    if len(artifact) >= original or artifact.spec.smaller or not macs:
        return
    if artifact.recipe.prune is not None and achieved > 0:
        yield Reason("no-faster", "", {"macs": macs}, 0)
    elif any(isinstance(one, Factors) or sparsity.is_rounded(one) for one in held.values()):
        yield Reason("decoded-first", "", {"macs": macs}, 0)
