"""Grid and random search over training settings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from math import exp, inf, log, prod
from typing import Any

import numpy as np

from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import RecipeError
from workbench.experiments.cross_validation import fold_jobs
from workbench.experiments.job import Job, Outcome
from workbench.experiments.processes import run_jobs
from workbench.experiments.repeats import Repeats
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Train
from workbench.validation import (
    expect_count,
    expect_mapping,
    expect_model,
    expect_numbers,
    expect_settings,
)

MAX_TRIALS = 10_000


@dataclass(frozen=True)
class LogUniform:
    """The log-uniform distribution from `low` to `high`: 1 to 10 is as likely as 10 to 100.

    Raises `RecipeError` unless 0 < `low` < `high`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        low, high = expect_numbers([self.low, self.high], "The bounds of a distribution")
        if not 0 < low < high < inf:
            raise RecipeError(
                "The bounds of a log-uniform distribution must be above 0, the low one below the "
                "high one.",
                code="training.distribution",
            )

    def rvs(self, random_state: np.random.RandomState) -> float:
        """Return a random number. The method that scikit-learn expects of a distribution."""
        return exp(random_state.uniform(log(self.low), log(self.high)))


@dataclass(frozen=True)
class SearchTrial(Repeats):
    """Training settings, the parameters varied in them, and the outcomes so far."""

    settings: Train
    params: dict[str, Any]
    outcomes: tuple[Outcome, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """The exact metric values: one for each fold, or one on validation."""
        return tuple(outcome.value for outcome in self.outcomes)

    @property
    def energy(self) -> Energy | None:
        """The energy of all trainings so far; None before the first one."""
        return Energy.total(o.energy for o in self.outcomes) if self.outcomes else None

    @property
    def problem(self) -> str | None:
        """Why training diverged, or None."""
        return next((o.problem for o in self.outcomes if o.problem is not None), None)


@dataclass(frozen=True)
class Search(Displayable):
    """The trials of a search, with `jobs` outcomes each when complete.

    `metric` is the metric of the task, which all values refer to.
    """

    _plots = "search"

    trials: tuple[SearchTrial, ...]
    jobs: int
    metric: Metric = ACCURACY

    def __repr__(self) -> str:
        best = f", best {self.best.params}" if self.best else ""
        return f"<Search, {len(self.ranking)} of {len(self.trials)} trials ended{best}>"

    @property
    def ranking(self) -> tuple[SearchTrial, ...]:
        """The completed trials by mean value, best first."""
        completed = [trial for trial in self.trials if len(trial.outcomes) == self.jobs]
        key = self.metric.sort_key
        return tuple(sorted(completed, key=lambda trial: key(trial.mean), reverse=True))

    @property
    def best(self) -> SearchTrial | None:
        """The best completed trial, or None."""
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
    on_update: Callable[[Search], None] = lambda result: None,
    cancel: CancelToken = NEVER,
) -> Search:
    """Train with many settings and rank them by their metric on held-out examples.

    Parameters
    ----------
    space
        For each field of `Train` to vary, a list of values or, for random search, a distribution
        such as ``LogUniform(1e-4, 1e-1)`` or one of ``scipy.stats``.
    settings
        The fixed fields; from scratch with AdamW unless given.
    n_trials
        Number of random trials; None tries every combination.
    folds
        Folds of a cross-validation; None evaluates on the validation split.
    seed
        Seed of the random trials.
    processes
        Number of trainings in parallel, on one thread each; None for one per core.
    on_update
        Called with the result so far after each training.

    Raises
    ------
    RecipeError
        If `space` has a key that is not a field of `Train`, or an invalid value.
    Cancelled
        Soon after `cancel` is cancelled.
    """
    expect_model(model)
    expect_mapping(space, "The search space")
    expect_count(seed, "The seed", 0)
    fixed = (
        Train(start="scratch") if settings is None else expect_settings(settings, "The settings")
    )
    params = list(_params(space, n_trials, seed))
    trials = [replace(fixed, **varied) for varied in params]
    jobs = [
        (index, job)
        for index, trial in enumerate(trials)
        for job in ([Job(model, trial)] if folds is None else fold_jobs(model, trial, folds))
    ]
    outcomes: dict[int, Outcome] = {}

    def result() -> Search:
        by_trial: list[list[Outcome]] = [[] for _trial in trials]
        for number in sorted(outcomes):
            by_trial[jobs[number][0]].append(outcomes[number])
        rows = zip(trials, params, by_trial, strict=True)
        state = tuple(SearchTrial(trial, varied, tuple(o)) for trial, varied, o in rows)
        return Search(state, folds or 1, model.task.metric)

    for number, outcome in run_jobs([job for _, job in jobs], processes, cancel):
        outcomes[number] = outcome
        on_update(result())
    return result()


def _params(space: Mapping[str, Any], n_trials: int | None, seed: int) -> Iterator[dict[str, Any]]:
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    known = [field.name for field in fields(Train) if field.name != "threads"]
    if not space:
        raise RecipeError(
            "A search needs parameters to vary: pass a field of Train and its values.",
            code="training.empty_search",
        )
    for name, values in space.items():
        if name not in known:
            raise RecipeError(
                f"Train has no field {name!r} to vary: choose from {', '.join(known)}.",
                code="recipe.unknown_setting",
            )
        if not _is_list(values) and (n_trials is None or not hasattr(values, "rvs")):
            raise RecipeError(
                f"The values of {name} must be a list that is not empty or, with n_trials, a "
                "distribution.",
                code="training.search_values",
            )
    count = _combinations(space)
    if n_trials is None:
        chosen = ParameterGrid(dict(space))
    else:
        count = min(expect_count(n_trials, "The number of trials"), count)
        chosen = ParameterSampler(dict(space), count, random_state=seed)
    if count > MAX_TRIALS:
        raise RecipeError(
            f"A search can try at most {MAX_TRIALS:,} settings: set n_trials to try random ones.",
            code="training.too_many_trials",
        )
    for varied in chosen:
        yield {name: _as_python(value) for name, value in varied.items()}


def _is_list(values: Any) -> bool:
    flat = isinstance(values, list | tuple) or (isinstance(values, np.ndarray) and values.ndim == 1)
    return flat and len(values) > 0


def _combinations(space: Mapping[str, Any]) -> int:
    """Return the number of combinations; unlimited with a distribution."""
    return prod(sys.maxsize if hasattr(values, "rvs") else len(values) for values in space.values())


def _as_python(value: Any) -> Any:
    """Return a NumPy scalar as a Python number."""
    return value.item() if hasattr(value, "item") else value
