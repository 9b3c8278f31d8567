"""k-fold cross-validation on the training split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import RecipeError
from workbench.experiments.job import Job, Outcome
from workbench.experiments.processes import run_jobs
from workbench.experiments.repeats import Repeats
from workbench.recipe import Train
from workbench.validation import expect_count, expect_model, expect_settings


@dataclass(frozen=True)
class CrossValidation(Repeats):
    """The outcome of each fold; None for folds that have not run yet.

    `metric` is the metric of the task, which all values refer to.
    """

    settings: Train
    folds: tuple[Outcome | None, ...]
    metric: Metric = ACCURACY

    @property
    def values(self) -> tuple[float, ...]:
        """The exact metric on the held-out examples of each completed fold."""
        return tuple(fold.value for fold in self.folds if fold is not None)


def cross_validate(
    model: Model,
    settings: Train | None = None,
    *,
    folds: int = 5,
    processes: int | None = None,
    on_update: Callable[[CrossValidation], None] = lambda result: None,
    cancel: CancelToken = NEVER,
) -> CrossValidation:
    """Train once for each fold on the other folds, and evaluate on the held-out fold.

    Folds are stratified by class if there are classes. Each fold trains on one thread, and the
    result does not depend on the number of processes. A teacher may have seen the held-out
    examples, which favors its student slightly.

    Parameters
    ----------
    settings
        Training settings; from scratch with AdamW unless given.
    folds
        Number of parts of the training split.
    processes
        Number of folds that train in parallel; None for one per core.
    on_update
        Called with the result so far after each fold.

    Raises
    ------
    RecipeError
        If training starts from weights that have seen the held-out examples, or the number of
        folds is less than two or greater than the number of examples (of the smallest class).
    Cancelled
        Soon after `cancel` is cancelled.
    """
    settings = Train(start="scratch") if settings is None else settings
    jobs = fold_jobs(model, settings, folds)
    outcomes: list[Outcome | None] = [None] * folds
    for number, outcome in run_jobs(jobs, processes, cancel):
        outcomes[number] = outcome
        on_update(CrossValidation(settings, tuple(outcomes), model.task.metric))
    return CrossValidation(settings, tuple(outcomes), model.task.metric)


def fold_jobs(model: Model, settings: Train, folds: int) -> list[Job]:
    """Return a job for each fold. scikit-learn splits them, with the seed of `settings`.

    Raises
    ------
    RecipeError
        As in `cross_validate`.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    expect_model(model)
    expect_settings(settings, "The training settings")
    if settings.start != "scratch":
        raise RecipeError(
            "The trained weights have seen the held-out examples: cross-validate from scratch, "
            "with start='scratch'.",
            code="training.held_out_seen",
        )
    labels = model.task.split("train").labels
    classes = model.task.metric.counts == "classes"
    most = int(np.bincount(labels).min()) if classes else len(labels)
    if not 2 <= expect_count(folds, "The number of folds") <= most:
        raise RecipeError(
            f"The number of folds must be from 2 to {most}, not {folds}.", code="training.folds"
        )
    splitter = (StratifiedKFold if classes else KFold)(
        folds, shuffle=True, random_state=settings.seed
    )
    parts = splitter.split(np.zeros(len(labels)), labels if classes else None)
    return [Job(model, settings, train, test) for train, test in parts]
