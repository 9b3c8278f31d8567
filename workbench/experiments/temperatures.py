"""Compare distillation temperatures: the same student at each, and trained on labels only."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.evaluation.scores import reference_score
from workbench.experiments.sweep import Level, Student, StudentResult, Sweep, levels, student_grid
from workbench.recipe import Recipe, Train
from workbench.training.budget import capped_seconds, steps_for
from workbench.training.setup import training_setup
from workbench.validation import expect_count, expect_model, expect_numbers, expect_settings

TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0)
UPDATE_SECONDS = 0.2
"""Seconds between two progress updates."""


@dataclass(frozen=True)
class TemperatureSweep:
    """The state of a sweep.

    Attributes
    ----------
    levels : tuple of Level
        Results by temperature and weight of the teacher.
    outcomes : tuple of StudentResult
        Results by student, each with its recipe.
    completed : float
        Fraction of the steps that are done.
    students : int
        The number of students.
    examples : int
        The number of validation examples that each value is of.
    metric : Metric
        The metric of the task, which all values refer to.
    """

    levels: tuple[Level, ...]
    outcomes: tuple[StudentResult, ...]
    completed: float
    students: int
    examples: int
    metric: Metric = ACCURACY


def sweep(
    model: Model,
    settings: Train,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    mixes: Sequence[float] = (),
    repeats: int = 2,
    seconds: float | None = None,
    cancel: CancelToken = NEVER,
) -> Iterator[TemperatureSweep]:
    """Train a student for each temperature, teacher weight and repeat, and yield the state.

    Students of a repeat start from the same weights and see the same batches; one of them learns
    from labels only. Values are exact, on validation. In regression there is nothing to soften, so
    only the weight of the teacher has an effect.

    Parameters
    ----------
    settings
        Training settings of each student, including its teacher.
    mixes
        Weights of the teacher; that of `settings` unless given.
    repeats
        Number of repeats, each with the next seed.
    seconds
        Time budget of all students together. A short pilot run converts it to steps; without it,
        the steps of `settings` apply. The environment variable `WORKBENCH_BUDGET` limits it.

    Raises
    ------
    RecipeError
        If there is no teacher, or a temperature or weight is out of range.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.experiments import sweep
    >>> settings = wb.Train(4, start="scratch", teacher="fashion/lenet-300-100")
    >>> *_, last = sweep(wb.model("fashion/mlp-32"), settings, temperatures=[4], repeats=1)
    >>> [level.mix for level in last.levels]
    [0.0, 0.9]
    """
    expect_model(model)
    expect_settings(settings, "The training settings")
    expect_count(repeats, "The number of repeats")
    temperatures = expect_numbers(temperatures, "The temperatures")
    mixes = expect_numbers(mixes, "The weights of the teacher")
    seeds = range(settings.seed, settings.seed + repeats)
    students = student_grid(temperatures, mixes or [settings.mix], list(seeds))
    Sweep(partial(training_setup, model), settings, students)  # validates the settings at once
    return _sweep(model, settings, students, seconds, cancel)


def _sweep(
    model: Model,
    settings: Train,
    students: Sequence[Student],
    seconds: float | None,
    cancel: CancelToken,
) -> Iterator[TemperatureSweep]:
    if seconds is not None:
        each = capped_seconds(seconds) / len(students)
        steps = steps_for(model, Recipe(train=settings), each, cancel)
        settings = replace(settings, steps=steps)
    running = Sweep(partial(training_setup, model), settings, students)
    split = model.task.split("validation")

    def validate(weights: Mapping[str, Tensor]) -> float:
        return reference_score(model, weights, split).value

    results: list[StudentResult] = []
    steps, updated = 0, time.monotonic()
    for event in running.go(validate, cancel):
        if isinstance(event, StudentResult):
            results.append(event)
        else:
            steps += 1
            if time.monotonic() - updated < UPDATE_SECONDS:
                continue
        updated = time.monotonic()
        completed = steps / running.steps if running.steps else 1.0
        by_level = levels(running.students, results)
        yield TemperatureSweep(
            by_level,
            tuple(results),
            completed,
            len(running.students),
            len(split),
            model.task.metric,
        )
