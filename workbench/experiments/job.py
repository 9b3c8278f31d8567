"""One training with its verdict, such that any process can do it with the same result."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Model, Split
from workbench.errors import TrainingError
from workbench.evaluation.scores import iter_scores
from workbench.recipe import Recipe, Train
from workbench.threads import threads
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.teacher_ref import resolve_teacher
from workbench.training.types import TrainingSetup
from workbench.zoo.registry import register_model as remember
from workbench.zoo.tables import CUSTOM_PREFIX

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Job:
    """Train `model` and judge it.

    `learned` and `held_out` are numbers of training examples: those to learn from and those to
    be judged on. With None it learns from the whole training split and is judged on validation.
    """

    model: Model
    settings: Train
    learned: Indices | None = None
    held_out: Indices | None = None


@dataclass(frozen=True)
class Outcome:
    """What a job found: the exact figure of `examples`, and the seconds of training.

    `value` is that of the task's metric. `problem` is the sentence that says why training
    diverged; the last good weights were judged.
    """

    value: float
    examples: int
    seconds: float
    problem: str | None = None


def run_job(job: Job, cancelled: Callable[[], bool] = lambda: False) -> Outcome:
    """Train on one thread, whatever the settings say, and judge.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True.
    """
    recipe = Recipe(train=replace(job.settings, threads=1))
    whole = training_setup(job.model, recipe)
    run = Run(whole if job.learned is None else subset_setup(whole, job.learned), recipe)
    problem = None
    with threads(1):
        try:
            for _moment in run.go(cancelled=cancelled):
                pass
        except TrainingError as error:
            problem = str(error)
        done = run.trained()
        *_, score = iter_scores(
            job.model, done.weights, _judged_on(job), bfloat16=False, cancelled=cancelled
        )
    return Outcome(score.value, score.examples, done.seconds, problem)


def user_teacher(job: Job) -> Model | None:
    """Return the teacher of a job if it is a user's model, which no other process knows by name."""
    named = job.settings.teacher
    return resolve_teacher(named, job.model).model if named.startswith(CUSTOM_PREFIX) else None


def run_job_with_teacher(do: Callable[[Job], Outcome], job: Job, teacher: Model | None) -> Outcome:
    """Do a job in a process that does not know its teacher yet."""
    if teacher is not None:
        remember(teacher)
    return do(job)


def subset_setup(whole: TrainingSetup, numbers: Indices) -> TrainingSetup:
    """Return the lesson of the examples with those numbers alone."""
    teacher = whole.teacher
    if teacher is not None and teacher.known is not None:
        known = teacher.known[numbers]
        teacher = copy.copy(teacher)
        teacher.known = known
    return replace(
        whole,
        examples=whole.examples[numbers],
        labels=whole.labels[numbers],
        teacher=teacher,
        counts=None if whole.counts is None else whole.counts[numbers],
    )


def _judged_on(job: Job) -> Split:
    if job.held_out is None:
        return job.model.task.split("validation")
    train = job.model.task.split("train")
    return Split("held out", train.examples[job.held_out], train.labels[job.held_out], digest="")
