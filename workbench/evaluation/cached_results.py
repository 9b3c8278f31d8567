"""Look up cached results by content, without importing torch."""

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

Result = TypeVar("Result", Size, Score)

REFERENCE_VERSION = 3
"""Incremented when the reference evaluation changes, to invalidate cached scores."""
SIZE_VERSION = 5
"""Incremented when the contents of a `Size` or its reasons change, to invalidate cached sizes."""


def size_key(model: Model, recipe: Recipe, stats: str) -> str:
    """Return the cache key of the `Size` of `recipe` applied to `model`.

    It covers everything that determines the file and its report: the model's name (stored in the
    file) and digest (weights, code and training data), the digest `stats` of the calibration
    statistics, the recipe, its teacher, the versions, and the validation data (examples of it
    determine the cost and the coupled channels).
    """
    data, dependencies = model.task.digest("validation"), training_dependencies(model, recipe)
    kind = f"size {SIZE_VERSION} {_versions()}"
    return f"{kind} {model.name} {model.digest} {data} {stats} {recipe.to_json()} {dependencies}"


def score_key(model: Model, artifact: str, split: str) -> str:
    """Return the cache key of the score on a split of the file with digest `artifact`.

    It includes the model's digest: user modules may compute different things from equal weights.
    """
    data, metric = model.task.digest(split), model.task.metric.name
    return f"score {REFERENCE_VERSION} {_versions()} {model.digest} {artifact} {data} {metric}"


def cached_report(model: Model, recipe: Recipe, split: str, store: ResultCache) -> Report | None:
    """Return the cached report of `recipe`, perhaps without a score; None if no size is cached."""
    stats = stats_digest(model, recipe)
    if stats is None:
        return None
    size = _read(Size, store.get(size_key(model, recipe, stats)))
    if size is None:
        return None
    return build_report(model, recipe, split, size, cached_score(model, size.digest, split, store))


def cached_score(model: Model, artifact: str, split: str, store: ResultCache) -> Score | None:
    """Return the cached score on a split of the file with digest `artifact`, or None."""
    return _read(Score, store.get(score_key(model, artifact, split)))


def build_report(
    model: Model, recipe: Recipe, split: str, size: Size, score: Score | None
) -> Report:
    """Return a report, with reasons about the score and the model added to those of the size."""
    seconds = model.card["training"]["seconds"]
    size = replace(size, reasons=(*score_reasons(score, split), *size.reasons, *model_notes(model)))
    return Report(model.task.name, model.name, recipe, split, size, score, seconds)


def _read(kind: type[Result], value: Any) -> Result | None:
    """Return a stored value; None if it is invalid, such as after a change from outside."""
    try:
        return kind.from_dict(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


@cache
def _versions() -> str:
    return f"{version('workbench')} torch-{version('torch').partition('+')[0]}"
