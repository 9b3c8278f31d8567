"""From the outputs of a model to the figures of its task, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from torch import Tensor

from workbench.domain import Model, Split
from workbench.errors import user_errors
from workbench.evaluation import sums
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.non_finite import non_finite_tensors
from workbench.evaluation.progress import iter_counts, reference_counts
from workbench.evaluation.report import Score

MAX_CONFUSION_CLASSES = 256
"""Of more classes reports hold no confusion matrix: it grows with the square of their number."""


def iter_scores(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    bfloat16: bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Score]:
    """Yield scores over growing random samples of `split`, at last the exact one.

    The parameters are those of `iter_counts`.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two batches.
    WorkbenchError
        When somebody's own module fails on the data, or their metric on its outputs.
    """
    with _in_words(model, split):
        if model.task.metric.counts != "classes":
            found = sums.iter_scores(model, weights, split, seed=seed, cancelled=cancelled)
        else:
            seen = iter_counts(
                model, weights, split, seed=seed, bfloat16=bfloat16, cancelled=cancelled
            )
            found = map(score_from_counts, seen)
        for score in found:
            yield add_non_finite(model, weights, score)


def reference_score(model: Model, weights: Mapping[str, Tensor], split: Split) -> Score:
    """Return the score of the whole `split` by the judge itself, no sieve.

    Raises
    ------
    WorkbenchError
        When somebody's own module fails on the data, or their metric on its outputs.
    """
    with _in_words(model, split):
        if model.task.metric.counts != "classes":
            score = sums.reference_score(model, weights, split)
        else:
            score = score_from_counts(reference_counts(model, weights, split))
        return add_non_finite(model, weights, score)


def add_non_finite(model: Model, weights: Mapping[str, Tensor], score: Score) -> Score:
    """Return a score with the weights that are to blame where some outputs are not finite."""
    return replace(score, broken=non_finite_tensors(model, weights)) if score.not_finite else score


def _in_words(model: Model, split: Split) -> AbstractContextManager[None]:
    """Say in a sentence what somebody's own module raises; of a built-in one it is our mistake."""
    if model.task.input_type != "own":
        return nullcontext()
    return user_errors(f"The module fails on the {split.name} data")


def score_from_counts(tally: PredictionCounts) -> Score:
    """Return the figures of a tally."""
    low, high = tally.bounds
    population = tally.population
    return Score(
        metric="accuracy",
        value=tally.accuracy,
        low=low,
        high=high,
        examples=tally.examples,
        total=tally.total,
        figures={
            "accuracy": tally.accuracy,
            "accuracy_low": low,
            "accuracy_high": high,
            "population_low": population[0],
            "population_high": population[1],
            "recall": tally.recall,
            "f1": tally.f1,
        },
        confusion=_confusion(tally),
        not_finite=tally.not_finite,
    )


def _confusion(tally: PredictionCounts) -> tuple[tuple[int, ...], ...]:
    """Return the matrix as a report holds it; none where it would outgrow all else in there."""
    if tally.classes > MAX_CONFUSION_CLASSES:
        return ()
    return tuple(tuple(row) for row in tally.confusion.tolist())
