"""A row of temperatures: what the same student reaches at each, beside labels alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.evaluation.scores import reference_score
from workbench.experiments.sweep import Level, Student, StudentResult, Sweep, levels, student_grid
from workbench.recipe import Recipe, Train
from workbench.training.budget import capped_seconds, steps_for
from workbench.training.setup import training_setup
from workbench.validation import expect_count, expect_model, expect_numbers, expect_settings

TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0)
BETWEEN = 0.2
"""Seconds between two tellings of how far it is."""


@dataclass(frozen=True)
class TemperatureSweep:
    """What is known so far: `levels` to draw, `outcomes` with a recipe each, the `share` done.

    `metric` is the task's, of which all figures are.
    """

    levels: tuple[Level, ...]
    outcomes: tuple[StudentResult, ...]
    share: float
    metric: Metric = ACCURACY


def sweep(
    model: Model,
    settings: Train,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    mixes: Sequence[float] = (),
    repeats: int = 2,
    seconds: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[TemperatureSweep]:
    """Train a student for each temperature, weight of the teacher and repeat, and yield on the way.

    All of a repeat begin alike and see the same batches, with one of labels alone among them. The
    teacher's outputs are computed once for all; figures are exact, on the validation examples.
    Where numbers are predicted nothing can be softened: there only the teacher's weight matters.

    Parameters
    ----------
    settings
        How each student trains, its teacher among it.
    mixes
        Weights of the teacher; that of `settings` unless given.
    repeats
        How often all is done, each time with the next seed.
    seconds
        How long all may take together, turned into steps by a short trial; without it the steps
        of `settings` count. `WORKBENCH_BUDGET` in the environment caps it.

    Raises
    ------
    RecipeError
        When there is no teacher, or a temperature or weight is out of range.
    Cancelled
        As soon as `cancelled()` answers True.

    >>> import workbench as wb
    >>> from workbench.experiments import sweep
    >>> how = wb.Train(4, start="scratch", teacher="fashion/lenet-300-100")
    >>> *_, last = sweep(wb.model("fashion/mlp-32"), how, temperatures=[4], repeats=1)
    >>> [level.mix for level in last.levels]
    [0.0, 0.9]
    """
    expect_model(model)
    expect_settings(settings, "How each student trains")
    expect_count(repeats, "The number of repeats")
    temperatures = expect_numbers(temperatures, "The temperatures")
    mixes = expect_numbers(mixes, "The weights of the teacher")
    seeds = range(settings.seed, settings.seed + repeats)
    students = student_grid(temperatures, mixes or [settings.mix], list(seeds))
    Sweep(partial(training_setup, model), settings, students)  # refuses at once what cannot be
    return _swept(model, settings, students, seconds, cancelled)


def _swept(
    model: Model,
    settings: Train,
    students: Sequence[Student],
    seconds: float | None,
    cancelled: Callable[[], bool],
) -> Iterator[TemperatureSweep]:
    if seconds is not None:
        each = capped_seconds(seconds) / len(students)
        steps = steps_for(model, Recipe(train=settings), each, cancelled)
        settings = replace(settings, steps=steps)
    trained = Sweep(partial(training_setup, model), settings, students)
    split = model.task.split("validation")

    def validate(weights: Mapping[str, Tensor]) -> float:
        return reference_score(model, weights, split).value

    outcomes: list[StudentResult] = []
    done, told = 0, time.monotonic()
    for event in trained.go(validate, cancelled):
        if isinstance(event, StudentResult):
            outcomes.append(event)
        else:
            done += 1
            if time.monotonic() - told < BETWEEN:
                continue
        told = time.monotonic()
        share = done / trained.steps if trained.steps else 1.0
        found = levels(trained.students, outcomes)
        yield TemperatureSweep(found, tuple(outcomes), share, model.task.metric)
