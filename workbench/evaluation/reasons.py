"""Reasons why choices did not pay off, derived from a file and its ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from types import MappingProxyType

from workbench import formatting
from workbench.artifact.artifact import Artifact
from workbench.compression.channel_pruning import removed_fraction
from workbench.compression.channels import UnprunedLayers
from workbench.compression.coded import Codes, Factors
from workbench.evaluation import sparsity
from workbench.evaluation.layer_reasons import COMPRESSING, CONSIDERABLE, layer_reasons
from workbench.evaluation.reason import Reason
from workbench.evaluation.zero_reasons import CodedLayers, OriginalWeights
from workbench.recipe import Recipe, Structure

MAX_NAMED = 12
"""Layers named in one sentence; more are only counted."""
UNPRUNED = {
    "output": "no_channels",
    "kind": "kind_whole",
    "between": "mixed_whole",
    "fails": "fails_whole",
    "unseen": "unseen_whole",
    "graph": "not_followed",
}
"""The kind of reason for each cause of `UnprunedLayers`."""


def reasons(
    artifact: Artifact,
    *,
    requested: float,
    achieved: float,
    original_bytes: int,
    macs: int,
    structure: Mapping[str, float] | None = None,
    unpruned: Sequence[UnprunedLayers] = (),
    unadjusted: Mapping[str, Sequence[str]] = MappingProxyType({}),
    layers: Collection[str],
    roundable: Collection[str] = (),
    has_norms: bool = False,
    original_weights: OriginalWeights,
) -> tuple[Reason, ...]:
    """Return why the file of `artifact` is not smaller or faster, the most bytes first.

    Parameters
    ----------
    requested, achieved
        Fractions of zeros over the weights of all `layers`.
    original_bytes
        The length of the original as a file.
    macs
        Multiply-adds per example.
    structure
        Requested and achieved structured pruning, as in a `Size`.
    unpruned
        The layers that cannot lose channels.
    unadjusted
        The layers that adjustments left unchanged, by kind of reason.
    layers
        The compressible tensors of the file.
    roundable
        The weights of layers whose inputs can be quantized.
    has_norms
        Whether the module has batch norms.
    original_weights
        Returns the original's tensors by name; called only if needed.
    """
    recipe = artifact.recipe
    if recipe == Recipe():
        return ()
    coded = {name: artifact.tensors[name] for name in layers if prod(artifact.tensors[name].shape)}
    from_scratch = recipe.train is not None and recipe.train.start == "scratch"
    initial: OriginalWeights = dict if from_scratch else original_weights
    all_reasons = [
        *(
            layer_reasons(artifact, coded, requested, achieved, initial)
            if coded
            else _nothing(recipe)
        ),
        *_shared_costs(artifact, layers),
        *_channels(recipe.structure, structure),
        *_unpruned(recipe.structure, unpruned),
        *_norms(artifact, has_norms),
        *(
            Reason(kind, formatting.names(names, MAX_NAMED))
            for kind, names in unadjusted.items()
            if names
        ),
        *_activations(artifact, roundable),
        *_length(artifact, original_bytes, original_weights),
        *_speed(artifact, coded, original_bytes, achieved, macs),
    ]
    return tuple(sorted(all_reasons, key=lambda reason: -reason.weight))


def _nothing(recipe: Recipe) -> list[Reason]:
    """Report that nothing can be compressed, if the recipe requests it."""
    return [Reason("nothing")] if any(getattr(recipe, key) for key in COMPRESSING) else []


def _shared_costs(artifact: Artifact, layers: Collection[str]) -> Iterator[Reason]:
    """Name large parts outside the layers: in the header, one-dimensional values, other tensors."""
    others = [row for row in artifact.ledger.rows if row.name not in layers]
    sizes = {
        "container": artifact.ledger.container,
        "preprocessing": artifact.ledger.preprocessing,
        "one_dimensional": sum(row.total for row in others if len(row.shape) < 2),
        "other_tensors": sum(row.total for row in others if len(row.shape) >= 2),
    }
    for kind, size in sizes.items():
        if size > CONSIDERABLE * len(artifact):
            yield Reason(kind, "", {"bytes": size, "file": len(artifact)}, size)


def _channels(
    requested: Structure | None, structure: Mapping[str, float] | None
) -> Iterator[Reason]:
    if requested is None or structure is None:
        return
    numbers = {"requested_share": structure["channels_requested"]}
    if structure["channels_removed"] > 0:
        numbers |= {
            "got_share": structure["channels_removed"],
            "weights_share": structure["weights_removed"],
            "macs_share": structure["macs_removed"],
        }
        yield Reason("channels", "", numbers)
    elif numbers["requested_share"] > 0 and requested.multiple > 1:
        yield Reason("few_multiples", "", {**numbers, "width": requested.multiple})
    elif numbers["requested_share"] > 0:
        yield Reason("few_channels", "", numbers)
    elif requested.scope == "named" and not requested.layers:
        yield Reason("no_layers")


def _unpruned(requested: Structure | None, unpruned: Sequence[UnprunedLayers]) -> Iterator[Reason]:
    """Name layers that should lose channels and cannot, grouped by cause.

    A single last layer, whose channels are the outputs, is reported only if it has its own setting.
    """
    if requested is None:
        return
    causes: dict[tuple[str, str], list[str]] = {}
    for layers in unpruned:
        named = bool({*layers.layers} & {*requested.layers})
        if not any(removed_fraction([name], requested) for name in layers.layers):
            continue
        if named or layers.reason != "output" or len(layers.layers) > 1:
            causes.setdefault((UNPRUNED[layers.reason], layers.detail), []).extend(layers.layers)
    for (kind, obstacle), names in causes.items():
        yield Reason(kind, formatting.names(names, MAX_NAMED), obstacle=obstacle)


def _norms(artifact: Artifact, has_norms: bool) -> Iterator[Reason]:
    recipe = artifact.recipe
    if (recipe.folds or recipe.recalibrates) and not has_norms and not artifact.spec.folded:
        yield Reason("no_norms")
    if recipe.equalizes and has_norms and not recipe.folds:
        yield Reason("norms_between")


def _activations(artifact: Artifact, roundable: Collection[str]) -> Iterator[Reason]:
    """Report which activations are not quantized, and that integers are only simulated."""
    activations = artifact.recipe.activations
    if activations is None or not artifact.recipe.quantizes_activations:
        return
    quantized = [f"{path}.weight" for path, _ in artifact.spec.inputs]
    if not quantized:
        if not roundable:
            yield Reason("no_inputs")
        elif all(name in activations.exclude for name in roundable):
            yield Reason("inputs_excluded")
        return
    coded = {name: artifact.tensors[name] for name in quantized}
    others = [n for n, c in coded.items() if not isinstance(c, Codes) or not c.has_row_scales]
    if len(others) < len(coded):
        yield Reason("simulated")
    for name in others[:1]:  # a single example is enough
        if prod(coded[name].shape):
            yield Reason("no_integers", name)


def _length(
    artifact: Artifact, original_bytes: int, original_weights: OriginalWeights
) -> Iterator[Reason]:
    """Explain why a file is longer than the original: its header, or its tensors."""
    more = len(artifact) - original_bytes
    if more <= 0:
        return
    header = artifact.ledger.container + artifact.ledger.preprocessing
    now = len(artifact) - header
    before = sum(t.numel() * t.element_size() for t in original_weights().values())
    numbers = {"more": more, "now": now, "before": before, "header": header}
    if before > original_bytes and now > original_bytes:  # widened from half precision
        yield Reason("wider", "", {**numbers, "before": original_bytes}, len(artifact))
    elif before <= original_bytes:
        kind = "grew" if now < before else "not_smaller" if now == before else "longer_tensors"
        yield Reason(kind, "", numbers, len(artifact))


def _speed(
    artifact: Artifact, layers: CodedLayers, original_bytes: int, achieved: float, macs: int
) -> Iterator[Reason]:
    """Report that a smaller file is not faster if it takes as many multiply-accumulates."""
    if len(artifact) >= original_bytes or artifact.spec.smaller or not macs:
        return
    if artifact.recipe.prune is not None and achieved > 0:
        yield Reason("no_faster", "", {"macs": macs})
    elif any(isinstance(c, Factors) or sparsity.is_rounded(c) for c in layers.values()):
        yield Reason("decoded_first", "", {"macs": macs})
