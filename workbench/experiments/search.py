"""Grid and random search over the settings of training."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from math import exp, inf, log, prod
from typing import Any

import numpy as np

from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import RecipeError
from workbench.experiments.cross_validation import fold_jobs
from workbench.experiments.job import Job, Outcome
from workbench.experiments.processes import run_jobs
from workbench.experiments.repeats import Repeats
from workbench.recipe import Train
from workbench.validation import (
    expect_count,
    expect_mapping,
    expect_model,
    expect_numbers,
    expect_settings,
)

MOST = 10_000
"""Trials in one search."""


@dataclass(frozen=True)
class LogUniform:
    """Numbers from `low` to `high` of which every factor is as likely: 1 to 10 as 10 to 100.

    Raises `RecipeError` unless 0 < `low` < `high`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        low, high = expect_numbers([self.low, self.high], "The ends of what is drawn")
        if not 0 < low < high < inf:
            raise RecipeError("Numbers to draw must lie above 0, between a low and a high one.")

    def rvs(self, random_state: np.random.RandomState) -> float:
        """Draw one number, as scikit-learn asks of a distribution."""
        return exp(random_state.uniform(log(self.low), log(self.high)))


@dataclass(frozen=True)
class SearchTrial(Repeats):
    """Settings that were tried, what in them was varied, and the outcomes so far."""

    settings: Train
    params: dict[str, Any]
    outcomes: tuple[Outcome, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """The exact figures, one for each fold, or the one on validation."""
        return tuple(outcome.value for outcome in self.outcomes)

    @property
    def problem(self) -> str | None:
        """The sentence that says why training diverged, if it did."""
        return next((one.problem for one in self.outcomes if one.problem is not None), None)


@dataclass(frozen=True)
class Search:
    """The trials of a search in the order drawn, with `jobs` outcomes each when all is done.

    `metric` is the task's, of which all figures are.
    """

    trials: tuple[SearchTrial, ...]
    jobs: int
    metric: Metric = ACCURACY

    @property
    def ranking(self) -> tuple[SearchTrial, ...]:
        """The trials that are done, the best mean figure first."""
        done = [trial for trial in self.trials if len(trial.outcomes) == self.jobs]
        return tuple(sorted(done, key=lambda trial: self.metric.sort_key(trial.mean), reverse=True))

    @property
    def best(self) -> SearchTrial | None:
        """The best trial of those that are done, or None while none is."""
        return next(iter(self.ranking), None)


def search(
    model: Model,
    space: Mapping[str, Any],
    settings: Train | None = None,
    *,
    n_trials: int | None = None,
    folds: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    progress: Callable[[Search], None] = lambda so_far: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Search:
    """Train with many settings and rank them by their figure on examples they did not learn from.

    Parameters
    ----------
    space
        For each field of `Train` to vary, a list of values, or for random search a distribution,
        such as ``LogUniform(1e-4, 1e-1)`` or one of ``scipy.stats``.
    settings
        The fields that stay; from scratch with AdamW unless given.
    draws
        How many settings to draw at random; None tries every combination.
    folds
        Parts for cross-validation; None judges on the validation split instead.
    seed
        Seeds the draws.
    processes
        How many train side by side, on one thread each; None is as many as there are cores.
    progress
        Called after every training with what is known so far.

    Raises
    ------
    RecipeError
        When `space` names no field of `Train`, or holds what the field may not.
    Cancelled
        Soon after `cancelled()` answers True.
    """
    expect_model(model)
    expect_mapping(space, "What varies")
    expect_count(seed, "The seed", 0)
    base = Train(start="scratch") if settings is None else expect_settings(settings, "What stays")
    varied = list(_varied(space, n_trials, seed))
    tried = [replace(base, **one) for one in varied]
    each = [[Job(model, one)] if folds is None else fold_jobs(model, one, folds) for one in tried]
    owners = [owner for owner, jobs in enumerate(each) for _job in jobs]
    found: dict[int, Outcome] = {}

    def so_far() -> Search:
        mine: list[list[Outcome]] = [[] for _one in tried]
        for number in sorted(found):
            mine[owners[number]].append(found[number])
        trials = zip(tried, varied, mine, strict=True)
        found_so_far = tuple(SearchTrial(s, v, tuple(o)) for s, v, o in trials)
        return Search(found_so_far, folds or 1, model.task.metric)

    jobs = [job for jobs in each for job in jobs]
    for number, outcome in run_jobs(jobs, processes, cancelled):
        found[number] = outcome
        progress(so_far())
    return so_far()


def _varied(space: Mapping[str, Any], n_trials: int | None, seed: int) -> Iterator[dict[str, Any]]:
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    known = [field.name for field in fields(Train) if field.name != "threads"]
    if not space:
        raise RecipeError("A search needs something to vary: give a field and its values.")
    for name, values in space.items():
        if name not in known:
            raise RecipeError(f"train has no key {name!r} to vary: choose from {', '.join(known)}.")
        if not _listed(values) and (n_trials is None or not hasattr(values, "rvs")):
            raise RecipeError(
                f"The values of {name} must be a list of some, or a distribution where they are "
                "drawn at random."
            )
    combinations = _combinations(space)
    if n_trials is None:
        chosen = ParameterGrid(dict(space))
    else:
        combinations = min(expect_count(n_trials, "The number of draws"), combinations)
        chosen = ParameterSampler(dict(space), combinations, random_state=seed)
    if combinations > MOST:
        raise RecipeError(f"A search tries {MOST:,} settings at most: draw some at random.")
    for one in chosen:
        yield {name: _plain(value) for name, value in one.items()}


def _listed(values: Any) -> bool:
    flat = isinstance(values, list | tuple) or (isinstance(values, np.ndarray) and values.ndim == 1)
    return flat and len(values) > 0


def _combinations(space: Mapping[str, Any]) -> int:
    """Return how many settings there are; a distribution never runs out."""
    return prod(sys.maxsize if hasattr(values, "rvs") else len(values) for values in space.values())


def _plain(value: Any) -> Any:
    """Return what NumPy drew as Python's own number."""
    return value.item() if hasattr(value, "item") else value
