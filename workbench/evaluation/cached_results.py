"""Results that were measured before, found by content and without loading torch."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any, TypeVar

from workbench.cache.results import ResultCache
from workbench.calibration.statistics import stats_digest
from workbench.domain import Model
from workbench.evaluation.notes import model_notes, score_reasons
from workbench.evaluation.report import Report, Score, Size
from workbench.recipe import Recipe
from workbench.training.teacher_ref import training_dependencies

Kept = TypeVar("Kept", Size, Score)

REFERENCE_VERSION = 2
"""Raised when the judge's definition changes, so that older accuracies are measured again."""
SIZE_VERSION = 2
"""Raised when what is said of a file without running it changes, its reasons among it."""


def size_key(model: Model, recipe: Recipe, stats: str) -> str:
    """Name the file that `recipe` makes of `model`, and what is said of it.

    The model's name, which is in the file; its weights, code and training data, which its digest
    covers; the evidence, recipe, teacher and versions; and the validation data, of which an example
    shows what the module costs and which channels are coupled.
    """
    data, learned = model.task.digest("validation"), training_dependencies(model, recipe)
    kind = f"size {SIZE_VERSION} {_versions()}"
    return f"{kind} {model.name} {model.digest} {data} {stats} {recipe.to_json()} {learned}"


def score_key(model: Model, artifact: str, split: str) -> str:
    """Name the score of the file with digest `artifact` on a split, by the task's metric.

    The model's own digest counts too: a person's modules may do other things with equal weights.
    """
    data, metric = model.task.digest(split), model.task.metric.name
    return f"score {REFERENCE_VERSION} {_versions()} {model.digest} {artifact} {data} {metric}"


def cached_report(model: Model, recipe: Recipe, split: str, store: ResultCache) -> Report | None:
    """Return the report of `recipe` as far as `store` knows it; None when not even the size."""
    evidence = stats_digest(model, recipe)
    if evidence is None:
        return None
    size = _read(Size, store.get(size_key(model, recipe, evidence)))
    if size is None:
        return None
    return build_report(model, recipe, split, size, cached_score(model, size.digest, split, store))


def cached_score(model: Model, artifact: str, split: str, store: ResultCache) -> Score | None:
    """Return the score of the file with digest `artifact` on a split, if `store` knows it."""
    return _read(Score, store.get(score_key(model, artifact, split)))


def build_report(
    model: Model, recipe: Recipe, split: str, size: Size, score: Score | None
) -> Report:
    """Return a report with what the model's card adds."""
    seconds = model.card["training"]["seconds"]
    size = replace(size, reasons=(*score_reasons(score, split), *size.reasons, *model_notes(model)))
    return Report(model.task.name, model.name, recipe, split, size, score, seconds)


def _read(kind: type[Kept], value: Any) -> Kept | None:
    """Return a stored value; what other hands left in its place counts as missing."""
    try:
        return kind.from_dict(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


@cache
def _versions() -> str:
    return f"{version('workbench')} torch-{version('torch').partition('+')[0]}"
