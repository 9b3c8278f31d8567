"""Measuring: from a model and a recipe to a report, step by step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from workbench.artifact.artifact import Artifact
from workbench.cache.results import ResultCache, default_result_cache
from workbench.calibration.statistics import calibration_stats
from workbench.compression.channel_pruning import requested_fraction as channels_asked
from workbench.compression.channels import Group
from workbench.compression.coded import Factors
from workbench.domain import Model
from workbench.domain.file_match import check_fit
from workbench.errors import ArtifactError
from workbench.evaluation import sparsity
from workbench.evaluation.cached_results import (
    build_report,
    cached_report,
    cached_score,
    score_key,
    size_key,
)
from workbench.evaluation.notes import bypassed_inputs
from workbench.evaluation.reasons import reasons
from workbench.evaluation.report import Report, Score, Size
from workbench.evaluation.scores import iter_scores, reference_score
from workbench.evaluation.unadjusted import unadjusted
from workbench.graph.channel_groups import analyze_channels
from workbench.pipeline import OnStep, compress, training_cost
from workbench.profiling import resources
from workbench.profiling.cost import module_cost
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.runtime.batch_norm import tracking_norms
from workbench.runtime.shell import shell
from workbench.validation import expect_model, expect_recipe
from workbench.zoo import model as find

ROUNDABLE_KINDS = frozenset({"linear", "convolution"})
"""What cards call the layers whose inputs can be rounded."""
QUICK_DIGEST_WEIGHTS = 4_000_000
"""Up to so many weights a file's bytes are there at once; of more, the first estimate is sooner."""


def iter_reports(
    model: Model,
    recipe: Recipe,
    *,
    split: str = "validation",
    store: ResultCache | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    watch: OnStep = lambda moment: None,
) -> Iterator[Report]:
    """Yield reports as they get more exact: the size at once, estimates, at last the exact score.

    Where the recipe trains, the size comes after training, of which `watch` is told each step.

    Raises
    ------
    RecipeError
        When the recipe does not fit the model.
    Cancelled
        When `cancelled()` answers True between two batches.
    """
    expect_model(model).architecture.check_unchanged()
    expect_recipe(recipe)
    store = store or default_result_cache()
    found = cached_report(model, recipe, split, store)
    if found is not None and found.exact:
        yield found
        return
    artifact = compress(model, recipe, on_step=watch, cancelled=cancelled)
    judged = _judged(model, artifact, split, cancelled)
    size = size_without_digest(model, artifact)
    if size.parameters > QUICK_DIGEST_WEIGHTS:
        yield build_report(model, recipe, split, size, None)
        first = next(judged)
        if first.exact:
            judged = iter([first])
        else:
            yield build_report(model, recipe, split, size, first)
    size = replace(size, digest=artifact.digest)
    store.put(size_key(model, recipe, calibration_stats(model, recipe).digest), size.as_dict())
    if size.parameters <= QUICK_DIGEST_WEIGHTS:
        yield build_report(model, recipe, split, size, None)
    before = cached_score(model, size.digest, split, store)
    for score in judged if before is None else [before]:
        if score.exact:
            store.put(score_key(model, size.digest, split), score.as_dict())
        yield build_report(model, recipe, split, size, score)


def _judged(
    model: Model, artifact: Artifact, split: str, cancelled: Callable[[], bool]
) -> Iterator[Score]:
    named = f"{model.digest} {artifact.recipe.to_json()}"
    seed = int(hashlib.sha256(named.encode()).hexdigest()[:8], 16)
    shaped, data = model.with_spec(artifact.spec), model.task.split(split)
    yield from iter_scores(shaped, artifact.operands(), data, seed=seed, cancelled=cancelled)


def measure(
    model: Model,
    recipe: Recipe | None = None,
    *,
    split: str = "validation",
    timed: bool = True,
    store: ResultCache | None = None,
    progress: Callable[[Report], None] = lambda report: None,
    watch: OnStep = lambda moment: None,
) -> Report:
    """Return the exact report of `model` compressed by `recipe`.

    Parameters
    ----------
    model, recipe
        What to compress, and how; no recipe means as it is.
    split : "validation" or "test"
    timed
        Whether to time the model too: about a second, and anew each time, because a timing is of
        this machine at this moment.
    store
        Where results are kept; the person's own unless given.
    progress
        Called with each report on the way.
    watch
        Called after each step of training, where the recipe trains.

    Raises
    ------
    RecipeError
        When the recipe does not fit the model.
    """
    recipe = Recipe() if recipe is None else expect_recipe(recipe)
    store = store or default_result_cache()
    last: Report | None = None
    for last in iter_reports(model, recipe, split=split, store=store, watch=watch):
        progress(last)
    assert last is not None
    if not timed:
        return last
    artifact = compress(model, recipe)
    shaped = model.with_spec(artifact.spec)
    return replace(last, latency=resources.latency(shaped, artifact.operands()))


def evaluate(artifact: Artifact, *, split: str = "validation", timed: bool = True) -> Report:
    """Return the exact report of a file, every example judged anew and nothing looked up.

    Raises
    ------
    UnknownNameError
        When the file's model is not one of the built-in ones.
    ArtifactError
        When the file's tensors are not those of its model.
    """
    if not isinstance(artifact, Artifact):
        raise ArtifactError(f"Give what wb.load(path) returns, not {brief(artifact)}.")
    model = find(artifact.model)
    check_fit(model, artifact)
    shaped, operands = model.with_spec(artifact.spec), artifact.operands()
    size = measure_size(model, artifact)
    score = reference_score(shaped, operands, model.task.split(split))
    done = build_report(model, artifact.recipe, split, size, score)
    return replace(done, latency=resources.latency(shaped, operands)) if timed else done


def measure_size(model: Model, artifact: Artifact) -> Size:
    """Return what is known of a file without running it."""
    return replace(size_without_digest(model, artifact), digest=artifact.digest)


def size_without_digest(model: Model, artifact: Artifact) -> Size:
    """Return what is known before the file's bytes are written: all but the digest, left empty."""
    shapes = {name: coded.shape for name, coded in artifact.tensors.items()}
    shaped = model.with_spec(artifact.spec)
    layers = {name: shapes[name] for name in shaped.layers if name in shapes}
    requested = sparsity.requested(artifact.recipe.prune, layers)
    weights = sum(map(prod, layers.values()))
    achieved = sum(sparsity.zeros(artifact, name) for name in layers) / (weights or 1)
    nonzero = _nonzero(artifact)
    names = [name for name, _ in shell(shaped).module.named_parameters()]
    parameters = sum(prod(shapes[name]) for name in names)
    takes = module_cost(shaped, shapes)
    found = analyze_channels(shaped.architecture) if artifact.recipe.structure else None
    coupled = found.groups if found else ()
    structure = _structure(model, artifact, coupled, takes.macs)
    return Size(
        digest="",
        bytes=len(artifact),
        original_bytes=model.original_bytes,
        sparsity_requested=requested,
        sparsity_achieved=achieved,
        parameters=parameters,
        nonzero=sum(nonzero[name] for name in names),
        macs=takes.macs,
        peak_memory=takes.peak_memory,
        ledger=artifact.ledger,
        reasons=bypassed_inputs(model, artifact)
        + reasons(
            artifact,
            requested=requested,
            achieved=achieved,
            original=model.original_bytes,
            macs=takes.macs,
            structure=structure,
            whole=found.unpruned if found else (),
            unadjusted=unadjusted(model, artifact),
            layers=layers,
            roundable=_taking(model),
            normalizes=bool(tracking_norms(shell(shaped).module)),
            before=model.weights,
        ),
        training=training_cost(model, artifact.recipe),
        structure=structure,
    )


def _structure(
    model: Model, artifact: Artifact, coupled: Sequence[Group], macs: int
) -> dict[str, float] | None:
    """Return what structured pruning was asked for and did; None where it had no part."""
    asked = artifact.recipe.structure
    if asked is None:
        return None
    before = sum(group.outputs for group in coupled) or 1  # none where no layer can lose any
    gone = before - sum(_outputs(artifact, group) for group in coupled) if coupled else 0
    whole = sum(prod(model.card["tensors"][name]) for name in model.layers) or 1
    held = [name for name in model.with_spec(artifact.spec).layers if name in artifact.tensors]
    return {
        "channels_asked": channels_asked(coupled, asked),
        "channels_removed": gone / before,
        "weights_removed": 1 - sum(prod(artifact.tensors[name].shape) for name in held) / whole,
        "macs_removed": 1 - macs / computed if (computed := model.card["macs"]) else 0.0,
    }


def _outputs(artifact: Artifact, group: Group) -> int:
    """Return how many channels the first layer of a group has in a file."""
    first = group.members[0]
    return artifact.tensors[first.tensor].shape[first.axis]


def _taking(model: Model) -> list[str]:
    """Return the weights of layers inside the network whose inputs can be rounded."""
    kinds = model.card["layers"]
    return [
        name
        for name in model.layers
        if kinds[name]["kind"] in ROUNDABLE_KINDS and name.endswith(".weight")
    ]


def _nonzero(artifact: Artifact) -> dict[str, int]:
    """Count the numbers that are stored and not zero, of a product those of its factors."""
    found = {}
    for name, coded in artifact.tensors.items():
        if isinstance(coded, Factors):
            both = (coded.u.nonzero, coded.v.nonzero)
            found[name] = sum(int(np.count_nonzero(flags)) for flags in both)
        else:
            found[name] = prod(coded.shape) - sparsity.zeros(artifact, name)
    return found
