"""Measure a model compressed by a recipe: size, estimates, and the exact score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from os import PathLike

import numpy as np

from workbench.arguments import expect_recipe, expect_running
from workbench.artifact.artifact import Artifact, load
from workbench.cache.results import ResultCache, default_result_cache
from workbench.calibration.statistics import calibration_stats
from workbench.cancel import NEVER, CancelToken
from workbench.compression.channel_pruning import requested_fraction
from workbench.compression.channels import Group
from workbench.compression.coded import Factors
from workbench.domain import Model
from workbench.domain.file_match import check_fit
from workbench.errors import ArtifactError, UnknownNameError
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
from workbench.profiling import resources
from workbench.profiling.cost import module_cost
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.runtime.batch_norm import tracking_norms
from workbench.runtime.shell import shell
from workbench.training.compress import OnStep, compress, training_cost
from workbench.validation import expect_model
from workbench.zoo.model_of_file import DATA_MISSING, model_of_file

ROUNDABLE_KINDS = frozenset({"linear", "convolution"})
"""Kinds of layers, as in model cards, whose inputs can be quantized."""
QUICK_DIGEST_WEIGHTS = 4_000_000
"""Above this many weights, computing the digest takes longer than the first estimate."""


def iter_reports(
    model: Model,
    recipe: Recipe,
    *,
    split: str = "validation",
    store: ResultCache | None = None,
    cancel: CancelToken = NEVER,
    on_step: OnStep = lambda step: None,
    sample: str = "",
) -> Iterator[Report]:
    """Yield reports of increasing accuracy: first the size, then estimates, then the exact score.

    If the recipe trains, the size follows training, and `on_step` is called after each step.
    Estimates are over a random sample of its own for each recipe. Recipes with the same `sample`
    share one, so that their differences are more accurate than the estimates themselves.

    Raises
    ------
    RecipeError
        If the recipe does not fit the model.
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    expect_model(model).architecture.check_unchanged()
    expect_recipe(recipe)
    store = store or default_result_cache()
    cached = cached_report(model, recipe, split, store)
    if cached is not None and cached.exact:
        yield cached
        return
    artifact = compress(model, recipe, on_step=on_step, cancel=cancel)
    scores = _scores(model, artifact, split, cancel, sample or artifact.recipe.to_json())
    yield from _reports(model, artifact, split, scores, store)


def _scores(
    model: Model, artifact: Artifact, split: str, cancel: CancelToken, sample: str
) -> Iterator[Score]:
    key = f"{model.digest} {sample}"
    seed = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)
    shaped, data = model.with_spec(artifact.spec), model.task.split(split)
    yield from iter_scores(shaped, artifact.operands(), data, seed=seed, cancel=cancel)


def _reference_scores(model: Model, artifact: Artifact, split: str) -> Iterator[Score]:
    shaped, data = model.with_spec(artifact.spec), model.task.split(split)
    yield reference_score(shaped, artifact.operands(), data)


def _reports(
    model: Model,
    artifact: Artifact,
    split: str,
    scores: Iterator[Score],
    store: ResultCache | None = None,
) -> Iterator[Report]:
    """Yield reports of a file: first its size, then one for each of `scores`, which end exact."""
    recipe, size = artifact.recipe, size_without_digest(model, artifact)
    if size.parameters > QUICK_DIGEST_WEIGHTS:
        yield build_report(model, recipe, split, size, None)
        first = next(scores)
        if first.exact:
            scores = iter([first])
        else:
            yield build_report(model, recipe, split, size, first)
    size = replace(size, digest=artifact.digest)
    if store is not None:
        store.put(size_key(model, recipe, calibration_stats(model, recipe).digest), size.as_dict())
    if size.parameters <= QUICK_DIGEST_WEIGHTS:
        yield build_report(model, recipe, split, size, None)
    known_score = None if store is None else cached_score(model, size.digest, split, store)
    for score in scores if known_score is None else [known_score]:
        if store is not None and score.exact:
            store.put(score_key(model, size.digest, split), score.as_dict())
        yield build_report(model, recipe, split, size, score)


def _with_latency(report: Report, model: Model, artifact: Artifact) -> Report:
    shaped = model.with_spec(artifact.spec)
    return replace(report, latency=resources.latency(shaped, artifact.operands()))


def measure(
    model: Model,
    recipe: Recipe | None = None,
    *,
    split: str = "validation",
    timed: bool = True,
    store: ResultCache | None = None,
    on_report: Callable[[Report], None] = lambda report: None,
    on_step: OnStep = lambda step: None,
    cancel: CancelToken = NEVER,
) -> Report:
    """Return the exact report of `model` compressed by `recipe`.

    Parameters
    ----------
    model, recipe
        Without a recipe the original is measured.
    split
        "train", "validation" or "test".
    timed
        Whether to measure the latency, too. It takes about a second and is never cached, because
        it depends on the current load of the machine.
    store
        The cache of results; by default the user's.
    on_report
        Called with each intermediate report.
    on_step
        Called after each training step if the recipe trains.
    cancel
        Cancels the training and the evaluation.

    Raises
    ------
    RecipeError
        If the recipe does not fit the model.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> report = wb.measure(wb.model("fashion/mlp-32"), wb.Recipe(wb.Quantize(4)), timed=False)
    >>> report.exact, report.total
    (True, 5000)
    """
    expect_running(cancel, on_report=on_report, on_step=on_step)
    recipe = Recipe() if recipe is None else expect_recipe(recipe)
    store = store or default_result_cache()
    last: Report | None = None
    for last in iter_reports(
        model, recipe, split=split, store=store, cancel=cancel, on_step=on_step
    ):
        on_report(last)
    assert last is not None
    return _with_latency(last, model, compress(model, recipe)) if timed else last


def evaluate(
    file: Artifact | str | PathLike[str], *, split: str = "validation", timed: bool = True
) -> Report:
    """Return the exact report of a file by the reference evaluation, without any cache.

    Parameters
    ----------
    file
        An artifact, or the path of a file.
    split, timed
        As for `measure`.

    Raises
    ------
    FileError, UnknownNameError, ArtifactError
        As for `wb.evaluate`.
    """
    artifact = load(file) if isinstance(file, str | PathLike) else file
    if not isinstance(artifact, Artifact):
        raise ArtifactError(
            f"Pass a path or an artifact, as wb.load(path) returns it, not {brief(file)}.",
            code="argument.not_an_artifact",
        )
    model = _model_of(artifact)
    check_fit(model, artifact)
    *_, report = _reports(model, artifact, split, _reference_scores(model, artifact, split))
    return _with_latency(report, model, artifact) if timed else report


def _model_of(artifact: Artifact) -> Model:
    try:
        return model_of_file(artifact)
    except UnknownNameError as error:
        if artifact.preprocessing is None or error.code != DATA_MISSING:
            raise
        name = artifact.preprocessing["origin"]["name"]
        raise UnknownNameError(
            f"Measuring this file needs the data that it was made from, {name}, which it does not "
            "hold: create its model from them again, or pass other labeled data to wb.predict, "
            "which needs the file only.",
            code=DATA_MISSING,
        ) from None


def measure_size(model: Model, artifact: Artifact) -> Size:
    """Return everything about a file that does not require running it."""
    return replace(size_without_digest(model, artifact), digest=artifact.digest)


def size_without_digest(model: Model, artifact: Artifact) -> Size:
    """Return the size with an empty digest: the file's bytes are not computed yet."""
    shapes = {name: coded.shape for name, coded in artifact.tensors.items()}
    shaped = model.with_spec(artifact.spec)
    layers = {name: shapes[name] for name in shaped.layers if name in shapes}
    requested = sparsity.requested(artifact.recipe.prune, layers)
    weights = sum(map(prod, layers.values()))
    achieved = sum(sparsity.zeros(artifact, name) for name in layers) / (weights or 1)
    nonzero = _nonzero(artifact)
    names = [name for name, _ in shell(shaped).module.named_parameters()]
    parameters = sum(prod(shapes[name]) for name in names)
    cost = module_cost(shaped, shapes)
    channels = analyze_channels(shaped.architecture) if artifact.recipe.structure else None
    groups = channels.groups if channels else ()
    structure = _structure(model, artifact, groups, cost.macs)
    return Size(
        digest="",
        bytes=len(artifact),
        original_bytes=model.original_bytes,
        sparsity_requested=requested,
        sparsity_achieved=achieved,
        parameters=parameters,
        nonzero=sum(nonzero[name] for name in names),
        macs=cost.macs,
        peak_memory=cost.peak_memory,
        ledger=artifact.ledger,
        reasons=bypassed_inputs(model, artifact)
        + reasons(
            artifact,
            requested=requested,
            achieved=achieved,
            original_bytes=model.original_bytes,
            macs=cost.macs,
            structure=structure,
            unpruned=channels.unpruned if channels else (),
            unadjusted=unadjusted(model, artifact),
            layers=layers,
            roundable=_roundable(model),
            has_norms=bool(tracking_norms(shell(shaped).module)),
            original_weights=model.weights,
        ),
        training=training_cost(model, artifact.recipe),
        structure=structure,
    )


def _structure(
    model: Model, artifact: Artifact, groups: Sequence[Group], macs: int
) -> dict[str, float] | None:
    """Return the requested and achieved structured pruning; None if the recipe has none."""
    requested = artifact.recipe.structure
    if requested is None:
        return None
    before = sum(group.outputs for group in groups) or 1  # no groups: nothing can be removed
    removed = before - sum(_outputs(artifact, group) for group in groups) if groups else 0
    weights = sum(prod(model.card["tensors"][name]) for name in model.layers) or 1
    layers = [name for name in model.with_spec(artifact.spec).layers if name in artifact.tensors]
    return {
        "channels_requested": requested_fraction(groups, requested),
        "channels_removed": removed / before,
        "weights_removed": 1 - sum(prod(artifact.tensors[name].shape) for name in layers) / weights,
        "macs_removed": 1 - macs / total if (total := model.card["macs"]) else 0.0,
    }


def _outputs(artifact: Artifact, group: Group) -> int:
    """Return the number of channels of a group in a file, from its first member."""
    first = group.members[0]
    return artifact.tensors[first.tensor].shape[first.axis]


def _roundable(model: Model) -> list[str]:
    """Return the weights of the layers whose inputs can be quantized."""
    kinds = model.card["layers"]
    return [
        name
        for name in model.layers
        if kinds[name]["kind"] in ROUNDABLE_KINDS and name.endswith(".weight")
    ]


def _nonzero(artifact: Artifact) -> dict[str, int]:
    """Count the stored nonzero values of each tensor; for a factorized one, of both factors."""
    counts = {}
    for name, coded in artifact.tensors.items():
        if isinstance(coded, Factors):
            masks = (coded.u.nonzero, coded.v.nonzero)
            counts[name] = sum(int(np.count_nonzero(mask)) for mask in masks)
        else:
            counts[name] = prod(coded.shape) - sparsity.zeros(artifact, name)
    return counts
