"""k-fold cross-validation: the training split judges itself, each part by what it did not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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
    """What cross-validation found: the outcome of each fold, None where it is still to come.

    `metric` is the task's, of which all figures are.
    """

    settings: Train
    folds: tuple[Outcome | None, ...]
    metric: Metric = ACCURACY

    @property
    def values(self) -> tuple[float, ...]:
        """The exact figures on the examples held out, of the folds that are done."""
        return tuple(fold.value for fold in self.folds if fold is not None)


def cross_validate(
    model: Model,
    settings: Train | None = None,
    *,
    folds: int = 5,
    processes: int | None = None,
    progress: Callable[[CrossValidation], None] = lambda so_far: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> CrossValidation:
    """Train once for each of `folds` parts of the training split, without it, and judge on it.

    Where examples have classes, every part has its share of each. Each fold trains on one thread,
    and the result is the same for any number of processes. A teacher may have seen what is held
    out, which flatters its student a little.

    Parameters
    ----------
    settings
        How to train; from scratch with AdamW unless given.
    processes
        How many folds train side by side; None is as many as there are cores.
    progress
        Called after every fold with what is known so far.

    Raises
    ------
    RecipeError
        When training begins with weights that have seen what is held out, or there are fewer
        than two folds, or more than there are examples or a class has of them.
    Cancelled
        Soon after `cancelled()` answers True.
    """
    chosen = Train(start="scratch") if settings is None else settings
    jobs = fold_jobs(model, chosen, folds)
    found: list[Outcome | None] = [None] * folds
    for number, outcome in run_jobs(jobs, processes, cancelled):
        found[number] = outcome
        progress(CrossValidation(chosen, tuple(found), model.task.metric))
    return CrossValidation(chosen, tuple(found), model.task.metric)


def fold_jobs(model: Model, settings: Train, folds: int) -> list[Job]:
    """Return a job for each fold; scikit-learn cuts them, with the seed of `settings`.

    Raises
    ------
    RecipeError
        As `cross_validate` does.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    expect_model(model)
    expect_settings(settings, "How to train")
    if settings.start != "scratch":
        raise RecipeError(
            "The trained weights have seen the examples that are held out: cross-validate from "
            "scratch, with start='scratch'."
        )
    labels = model.task.split("train").labels
    classes = model.task.metric.counts == "classes"
    most = int(np.bincount(labels).min()) if classes else len(labels)
    if not 2 <= expect_count(folds, "The number of folds") <= most:
        raise RecipeError(f"The number of folds must be from 2 to {most}, not {folds}.")
    kind = StratifiedKFold if classes else KFold
    cuts = kind(folds, shuffle=True, random_state=settings.seed)
    parts = cuts.split(np.zeros(len(labels)), labels if classes else None)
    return [Job(model, settings, learned, held_out) for learned, held_out in parts]
