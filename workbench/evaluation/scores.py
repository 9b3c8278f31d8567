"""Scores of a model on a split: estimates, then the exact values of the task's metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model, Split
from workbench.errors import user_errors
from workbench.evaluation import sums
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.non_finite import non_finite_tensors
from workbench.evaluation.progress import iter_counts, reference_counts
from workbench.evaluation.report import Score

MAX_CONFUSION_CLASSES = 256
"""Above this, reports have no confusion matrix, since it grows with the square of the classes."""


def iter_scores(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    bfloat16: bool | None = None,
    cancel: CancelToken = NEVER,
) -> Iterator[Score]:
    """Yield scores over growing random samples of `split`, finally the exact one.

    Parameters are those of `iter_counts`.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    InputError
        If a user's module fails on the data, or their metric on its outputs.
    """
    with _user_errors(model, split):
        if model.task.metric.counts != "classes":
            scores = sums.iter_scores(model, weights, split, seed=seed, cancel=cancel)
        else:
            counts = iter_counts(model, weights, split, seed=seed, bfloat16=bfloat16, cancel=cancel)
            scores = map(score_from_counts, counts)
        for score in scores:
            yield add_non_finite(model, weights, score)


def reference_score(model: Model, weights: Mapping[str, Tensor], split: Split) -> Score:
    """Return the score of the full `split` by the reference evaluation, without a fast path.

    Raises
    ------
    InputError
        If a user's module fails on the data, or their metric on its outputs.
    """
    with _user_errors(model, split):
        if model.task.metric.counts != "classes":
            score = sums.reference_score(model, weights, split)
        else:
            score = score_from_counts(reference_counts(model, weights, split))
        return add_non_finite(model, weights, score)


def add_non_finite(model: Model, weights: Mapping[str, Tensor], score: Score) -> Score:
    """Return a score with the weights that make outputs non-finite, if any."""
    return replace(score, broken=non_finite_tensors(model, weights)) if score.not_finite else score


def _user_errors(model: Model, split: Split) -> AbstractContextManager[None]:
    """Convert exceptions of user modules; those of a built-in module are bugs and propagate."""
    if model.task.input_type != "custom":
        return nullcontext()
    return user_errors(f"The module fails on the {split.name} data")


def score_from_counts(counts: PredictionCounts) -> Score:
    """Return the metrics of a classifier from its counts."""
    low, high = counts.bounds
    population = counts.population
    return Score(
        metric="accuracy",
        value=counts.accuracy,
        low=low,
        high=high,
        examples=counts.examples,
        total=counts.total,
        figures={
            "accuracy": counts.accuracy,
            "accuracy_low": low,
            "accuracy_high": high,
            "population_low": population[0],
            "population_high": population[1],
            "recall": counts.recall,
            "f1": counts.f1,
        },
        confusion=_confusion(counts),
        not_finite=counts.not_finite,
    )


def _confusion(counts: PredictionCounts) -> tuple[tuple[int, ...], ...]:
    """Return the confusion matrix for a report; empty if it would dominate the report."""
    if counts.classes > MAX_CONFUSION_CLASSES:
        return ()
    return tuple(tuple(row) for row in counts.confusion.tolist())
