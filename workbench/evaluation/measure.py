"""Measuring: from a model and a recipe to a report, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from workbench.arguments import expect_model, expect_recipe
from workbench.artifact.artifact import Artifact
from workbench.calibration import evidence_for
from workbench.compression.coded import Factors
from workbench.compression.layers import compressible
from workbench.errors import ArtifactError
from workbench.evaluation import resources
from workbench.evaluation.known import (
    known,
    known_score,
    report,
    score_key,
    size_key,
)
from workbench.evaluation.progress import accuracy, judged
from workbench.evaluation.reasons import reasons
from workbench.evaluation.report import Report, Score, Size
from workbench.evaluation.store import Store, default_store
from workbench.evaluation.tally import Tally
from workbench.pipeline import Watch, compress, effort
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.zoo import Model
from workbench.zoo import model as find
from workbench.zoo.shell import shell


def steps(
    model: Model,
    recipe: Recipe,
    *,
    split: str = "validation",
    store: Store | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    watch: Watch = lambda moment: None,
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
    expect_model(model)
    expect_recipe(recipe)
    store = store or default_store()
    found = known(model, recipe, split, store)
    if found is not None and found.exact:
        yield found
        return
    artifact = compress(model, recipe, progress=watch, cancelled=cancelled)
    size = measure_size(model, artifact)
    store.put(size_key(model, recipe, evidence_for(model, recipe).digest), size.as_dict())
    yield report(model, recipe, split, size, None)
    before = known_score(model, size.digest, split, store)
    if before is not None:
        yield report(model, recipe, split, size, before)
        return
    seed = int(size.digest[:8], 16)
    data = model.task.split(split)
    for tally in accuracy(model, artifact.weights(), data, seed=seed, cancelled=cancelled):
        score = score_of(tally)
        if score.exact:
            store.put(score_key(model, size.digest, split), score.as_dict())
        yield report(model, recipe, split, size, score)


def measure(
    model: Model,
    recipe: Recipe | None = None,
    *,
    split: str = "validation",
    timed: bool = True,
    store: Store | None = None,
    progress: Callable[[Report], None] = lambda report: None,
    watch: Watch = lambda moment: None,
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
    store = store or default_store()
    last: Report | None = None
    for last in steps(model, recipe, split=split, store=store, watch=watch):
        progress(last)
    assert last is not None
    if not timed:
        return last
    weights = compress(model, recipe).weights()
    return replace(last, latency=resources.latency(model, weights))


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
    size = measure_size(model, artifact)
    weights = artifact.weights()
    score = score_of(judged(model, weights, model.task.split(split)))
    done = report(model, artifact.recipe, split, size, score)
    return replace(done, latency=resources.latency(model, weights)) if timed else done


def check_fit(model: Model, artifact: Artifact) -> None:
    """Raise `ArtifactError` where the file's tensors are not those of `model`."""
    expected = {name: tuple(shape) for name, shape in model.card["tensors"].items()}
    if {name: coded.shape for name, coded in artifact.tensors.items()} != expected:
        raise ArtifactError(
            f"The file says it holds {model.name}, but its tensors are not those of that model."
        )


def measure_size(model: Model, artifact: Artifact) -> Size:
    """Return what is known of a file without running it."""
    originals = model.weights()
    prunable = compressible(originals)
    nonzero = _nonzero(artifact)
    left = sum(_weights_left(artifact, name, nonzero[name]) for name in prunable)
    values = sum(originals[name].numel() for name in prunable)
    requested = _requested(artifact.recipe, {n: originals[n].numel() for n in prunable})
    achieved = 1 - left / values
    names = [name for name, _ in shell(model).module.named_parameters()]
    return Size(
        digest=artifact.digest,
        bytes=len(artifact),
        original_bytes=model.original_bytes,
        sparsity_requested=requested,
        sparsity_achieved=achieved,
        parameters=sum(int(np.prod(artifact.tensors[name].shape)) for name in names),
        nonzero=sum(nonzero[name] for name in names),
        macs=model.card["macs"],
        peak_memory=model.card["peak_memory"],
        ledger=artifact.ledger,
        reasons=reasons(
            artifact,
            requested=requested,
            achieved=achieved,
            original=model.original_bytes,
            macs=model.card["macs"],
        ),
        training=effort(model, artifact.recipe),
    )


def _nonzero(artifact: Artifact) -> dict[str, int]:
    """Count the numbers that are stored and not zero, of a product those of its factors."""
    found = {name: forms.nonzero for name, forms in artifact.considered.items()}
    for name, coded in artifact.tensors.items():
        if isinstance(coded, Factors):
            both = (coded.left.nonzero, coded.right.nonzero)
            found[name] = sum(int(np.count_nonzero(flags)) for flags in both)
    return found


def _weights_left(artifact: Artifact, name: str, nonzero: int) -> int:
    """Count the decoded weights other than zero, given the stored numbers that are."""
    coded = artifact.tensors[name]
    return int(coded.tensor().count_nonzero()) if isinstance(coded, Factors) else nonzero


def score_of(tally: Tally) -> Score:
    """Return the figures of a tally."""
    low, high = tally.bounds
    population = tally.population
    return Score(
        accuracy=tally.accuracy,
        accuracy_low=low,
        accuracy_high=high,
        population_low=population[0],
        population_high=population[1],
        examples=tally.examples,
        total=tally.total,
        recall=tally.recall,
        f1=tally.f1,
        confusion=tuple(tuple(row) for row in tally.confusion.tolist()),
    )


def _requested(recipe: Recipe, sizes: dict[str, int]) -> float:
    if recipe.prune is None:
        return 0.0
    if recipe.prune.scope == "layer":
        asked = sum(share * sizes[name] for name, share in recipe.prune.layers.items())
        return asked / sum(sizes.values())
    return recipe.prune.sparsity
