"""Measure one recipe: its bytes, and its metric unless a smaller file is certainly as good."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import ceil

import numpy as np
from torch import Tensor

from workbench.artifact.artifact import Artifact
from workbench.cache.results import ResultCache, default_result_cache
from workbench.calibration.statistics import calibration_stats
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.errors import Cancelled, WorkbenchError, user_errors
from workbench.evaluation.batch_size import first_sample_size
from workbench.evaluation.cached_results import cached_report, cached_score, score_key, size_key
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.measure import measure_size
from workbench.evaluation.report import Score
from workbench.evaluation.scores import add_non_finite, iter_scores, score_from_counts
from workbench.recipe import Recipe
from workbench.study.certainty import CHECK_LEVEL, STOP_LEVEL, best_possible
from workbench.study.elimination import can_eliminate, count_until
from workbench.study.trial import (
    BELOW_LIMIT,
    DOMINATED,
    EXACT,
    FAILED,
    TOO_LARGE,
    UNLIKELY,
    Bits,
    Trial,
)
from workbench.training.compress import compress

SPLIT = "validation"


@dataclass(frozen=True)
class Rival:
    """An exactly measured file on the front: its bytes, value and correctly predicted examples."""

    bytes: int
    value: float
    correct: Bits = b""


@dataclass(frozen=True)
class Job:
    """What to measure.

    Attributes
    ----------
    recipe : Recipe
    rivals : tuple of Rival
        The front so far. Jobs with equal rivals give equal trials, in any process.
    max_bytes : int, optional
        Larger files are not evaluated.
    certainly : bool
        Do not let an estimate end the evaluation.
    min_value : float, optional
        The evaluation ends when the metric cannot reach it.
    """

    recipe: Recipe
    rivals: tuple[Rival, ...] = ()
    max_bytes: int | None = None
    certainly: bool = False
    min_value: float | None = None


def measure_trial(
    model: Model,
    job: Job,
    cancel: CancelToken = NEVER,
    store: ResultCache | None = None,
) -> Trial:
    """Return the trial of a job. A recipe that cannot be computed gives a failed trial.

    Exact results are read from the store and written to it, as `wb.measure` does.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    begin = time.perf_counter()
    store = store or default_result_cache()
    try:
        known = _known(model, job, store)
        if known is not None:
            return known
        with user_errors("The recipe fails", code="study.recipe_failed"):
            artifact = compress(model, job.recipe, cancel=cancel)
            size = len(artifact)
            compressed = time.perf_counter() - begin
            if job.max_bytes is not None and size > job.max_bytes:
                return Trial(job.recipe, TOO_LARGE, size, compress_seconds=compressed)
            trial = _evaluated(model, artifact, job, cancel, store)
    except Cancelled:
        raise
    except WorkbenchError as error:
        return Trial(job.recipe, FAILED, sentence=str(error))
    seconds = time.perf_counter() - begin
    return replace(trial, seconds=seconds, compress_seconds=compressed)


def best_rival(rivals: Sequence[Rival], size: int, metric: Metric) -> Rival | None:
    """Return the best of the rivals that are at most `size` bytes large, or None."""
    smaller = [rival for rival in rivals if rival.bytes <= size]
    return max(smaller, key=lambda rival: metric.sort_key(rival.value), default=None)


def _known(model: Model, job: Job, store: ResultCache) -> Trial | None:
    """Return the trial of a recipe whose exact result is in the store."""
    report = cached_report(model, job.recipe, SPLIT, store)
    if report is None:
        return None
    if job.max_bytes is not None and report.size.bytes > job.max_bytes:
        return Trial(job.recipe, TOO_LARGE, report.size.bytes)
    if report.score is None or not report.score.exact:
        return None
    bits = _known_bits(model, report.size.digest, store)
    return _exact(job.recipe, report.size.bytes, report.size.digest, report.score, bits)


def exact_trial(model: Model, recipe: Recipe, store: ResultCache) -> Trial | None:
    """Return the trial of a recipe that was measured on all examples before, or None."""
    return _known(model, Job(recipe), store)


def _exact(recipe: Recipe, size: int, file: str, score: Score, bits: bytes) -> Trial:
    return Trial(
        recipe,
        EXACT,
        size,
        file,
        value=score.value,
        first=score.value,
        accuracy=score.figures.get("accuracy"),
        examples=score.examples,
        total=score.total,
        correct=bits,
    )


def _evaluated(
    model: Model, artifact: Artifact, job: Job, cancel: CancelToken, store: ResultCache
) -> Trial:
    recipe, metric = job.recipe, model.task.metric
    rival = best_rival(job.rivals, len(artifact), metric)
    # With a rival, ending early is faster than writing the file for its digest.
    if rival is None and (known := _known_file(model, artifact, store)) is not None:
        return known
    shaped, split = model.with_spec(artifact.spec), model.task.split(SPLIT)
    weights = artifact.operands()
    scores = iter_scores(shaped, weights, split, seed=_seed(model, recipe), cancel=cancel)
    first = next(scores)
    by_prediction = can_eliminate(shaped) and not first.exact
    for score in chain([first], () if by_prediction else scores):
        if state := _end_of(job, rival, metric, score):
            return _stopped(state, recipe, len(artifact), first, score, metric)
    bits = b""
    if by_prediction:
        dominated, limit = _enough(job, rival, len(split))
        rival_bits = b"" if rival is None else rival.correct
        sample = _first_sample(model, recipe)
        enough = max(dominated, limit)
        count = count_until(shaped, weights, split, sample, rival_bits, enough, cancel)
        if count.counts is None or count.counts.correct <= enough:
            state = BELOW_LIMIT if limit > dominated else DOMINATED
            trial = _stopped(state, recipe, len(artifact), first, first, metric)
            return replace(trial, examples=count.examples)
        score, bits = _full_score(shaped, weights, count.counts), count.bits
    assert score is not None
    _store(model, artifact, score, bits, store)
    trial = _exact(recipe, len(artifact), artifact.digest, score, bits)
    return replace(trial, first=first.value)


def _known_file(model: Model, artifact: Artifact, store: ResultCache) -> Trial | None:
    """Return the trial of a file that another recipe has given, if its score is in the store."""
    score = cached_score(model, artifact.digest, SPLIT, store)
    if score is None:
        return None
    bits = _known_bits(model, artifact.digest, store)
    return _exact(artifact.recipe, len(artifact), artifact.digest, score, bits)


def _end_of(job: Job, rival: Rival | None, metric: Metric, score: Score) -> str | None:
    """Return the state in which the evaluation ends at a score; None if it goes on."""
    possible = best_possible(score, metric, CHECK_LEVEL)
    if job.min_value is not None and metric.better(job.min_value, possible):
        return BELOW_LIMIT
    if rival is None or (job.certainly and not score.exact):
        return None
    possible = best_possible(score, metric, STOP_LEVEL)
    if metric.sort_key(possible) > metric.sort_key(rival.value):
        return None
    return DOMINATED if score.exact else UNLIKELY


def _enough(job: Job, rival: Rival | None, total: int) -> tuple[int, int]:
    """Return how many correct predictions the rival has, and how many are below the limit."""
    dominated = -1 if rival is None else round(rival.value * total)
    limit = -1 if job.min_value is None else ceil(job.min_value * total - 1e-9) - 1
    return dominated, limit


def _full_score(model: Model, weights: Mapping[str, Tensor], counts: PredictionCounts) -> Score:
    return add_non_finite(model, weights, score_from_counts(counts))


def _stopped(
    state: str, recipe: Recipe, size: int, first: Score, score: Score, metric: Metric
) -> Trial:
    return Trial(
        recipe,
        state,
        size,
        value=score.value,
        possible=best_possible(score, metric, CHECK_LEVEL) if state == UNLIKELY else None,
        first=first.value,
        examples=score.examples,
        total=score.total,
    )


def _seed(model: Model, recipe: Recipe) -> int:
    """Return the seed of the sample of a recipe, as `wb.measure` computes it."""
    key = f"{model.digest} {recipe.to_json()}"
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)


def _first_sample(model: Model, recipe: Recipe) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the indices of the examples of the first estimate."""
    total = len(model.task.split(SPLIT))
    order = np.random.default_rng(_seed(model, recipe)).permutation(total)
    return order[: min(first_sample_size(model), total)]


def _store(model: Model, artifact: Artifact, score: Score, bits: bytes, store: ResultCache) -> None:
    stats = calibration_stats(model, artifact.recipe).digest
    store.put(size_key(model, artifact.recipe, stats), measure_size(model, artifact).as_dict())
    store.put(score_key(model, artifact.digest, SPLIT), score.as_dict())
    if bits:
        store.put(_bits_key(model, artifact.digest), bits.hex())


def _bits_key(model: Model, file: str) -> str:
    return f"correct {score_key(model, file, SPLIT)}"


def _known_bits(model: Model, file: str, store: ResultCache) -> bytes:
    text = store.get(_bits_key(model, file))
    return bytes.fromhex(text) if isinstance(text, str) else b""
