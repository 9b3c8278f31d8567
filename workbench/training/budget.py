"""Convert a time budget in seconds to training steps, by timing a short pilot run."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from workbench.domain import Model
from workbench.errors import InputError, RecipeError
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.training.early_stopping import EarlyStopping
from workbench.training.forward import MICROBATCH
from workbench.training.run import RECALIBRATION_BATCHES, Run
from workbench.training.setup import training_setup
from workbench.training.sparsity_schedule import sparsity_schedule
from workbench.training.types import TrainingResult, TrainingSetup

Finish = Callable[[Model, Recipe, TrainingSetup, TrainingResult], object]
VARIABLE = "WORKBENCH_BUDGET"
WARM_UP = 3
"""Slow steps after the first one that are not counted, unless there are few steps."""
PILOT = 100
"""Steps that the pilot counts at most."""
PILOT_SHARE = 0.08
"""Share of the seconds that the counted steps of the pilot may take."""
MIN_PILOT = 1
"""Steps after the first one that the pilot takes even if they are slow."""
LONG_STEP = 0.2
"""Share of the seconds above which the first step alone is the pilot."""
RECALIBRATION_SAMPLE = 4
"""Microbatches on which batch-norm recalibration is timed."""
MIN_STEP_SHARE = 1 / 8
"""Share of the seconds that is always reserved for steps."""
MAX_SECONDS = 86_400.0
PLANNED_STEPS = 10_000
"""Steps in the recipe of the pilot, so that masks change as rarely as in a long run."""
MAX_STEPS = 200_000


def capped_seconds(seconds: float) -> float:
    """Return `seconds`, or the value of the environment variable `WORKBENCH_BUDGET` if smaller.

    Raises
    ------
    RecipeError
        When `seconds` is out of range.
    InputError
        When the variable is not a number above 0.
    """
    _check(seconds)
    text = os.environ.get(VARIABLE, "")
    try:
        limit = float(text or "inf")
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise InputError(
            f"{VARIABLE} must be a number of seconds above 0, not {text!r}.",
            code="training.budget_variable",
        )
    return min(seconds, limit)


def steps_for(
    model: Model,
    recipe: Recipe,
    seconds: float,
    cancelled: Callable[[], bool] = lambda: False,
    finish: Finish | None = None,
) -> int:
    """Return how many training steps of `recipe` fit into `seconds` on this machine, at least one.

    A pilot run times the setup, some steps, part of the batch-norm recalibration, one check of
    early stopping, one change of masks, and `finish`, which makes the file. The time of the pilot
    and of all other parts of a run is subtracted from the budget, but an eighth of it is always
    reserved for steps. The pilot also computes the outputs of the teacher.

    Raises
    ------
    RecipeError
        When `seconds` is out of range.
    Cancelled
        When `cancelled()` returns True.
    """
    _check(seconds)
    assert recipe.train is not None
    start = time.perf_counter()
    settings = recipe.train
    pilot = replace(recipe, train=replace(settings, steps=PLANNED_STEPS, batch_norm="keep"))
    run = Run(training_setup(model, pilot, cancelled), pilot)
    # The second setup finds statistics and teacher cached, as the real run will.
    overhead = _timed(lambda: Run(training_setup(model, pilot, cancelled), pilot))
    step = _seconds_per_step(run, seconds, cancelled)
    if settings.batch_norm == "recalibrate":
        total = min(RECALIBRATION_BATCHES, -(-len(run.setup.labels) // MICROBATCH))
        sample = min(RECALIBRATION_SAMPLE, total)
        overhead += total / sample * _timed(lambda: run.recalibrate(cancelled, sample))
    mask = _timed(run.recompute_masks) if settings.sparsening != "one-shot" else 0.0
    check = _timed(lambda: run.evaluate_held_out(cancelled)) if settings.patience else 0.0
    if finish is not None:
        overhead += _timed(lambda: finish(model, recipe, run.setup, run.trained()))
    elapsed = time.perf_counter() - start
    available = max(seconds * MIN_STEP_SHARE, seconds - elapsed - overhead)

    def duration(steps: int) -> float:
        masks = sparsity_schedule(settings.sparsening, steps)
        checks = EarlyStopping(replace(settings, steps=steps), max(masks)).checks
        return steps * step + (len(masks) - 1) * mask + checks * check

    return bisect_right(range(2, MAX_STEPS + 1), available, key=duration) + 1


def _seconds_per_step(run: Run, seconds: float, cancelled: Callable[[], bool]) -> float:
    """Return the median time of a step, from steps that take a small share of `seconds`.

    A first step that takes too long is the only one.
    """
    times: list[float] = []
    begin = time.perf_counter()
    for event in run.go(cancelled=cancelled):
        spent = time.perf_counter() - begin
        if event.step == 1 and spent > LONG_STEP * seconds:
            return spent
        if event.step > 1:
            times.append(spent)
        enough = len(times) >= WARM_UP + PILOT or sum(times) > PILOT_SHARE * seconds
        if len(times) >= MIN_PILOT and enough:
            break
        begin = time.perf_counter()
    return median(times[min(WARM_UP, len(times) // 2) :])


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _check(seconds: object) -> None:
    real = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if real and 0 < seconds <= MAX_SECONDS:  # type: ignore[operator]
        return
    raise RecipeError(
        f"The training time must be above 0 and at most {MAX_SECONDS:.0f} seconds, not "
        f"{brief(seconds)}.",
        code="training.seconds",
    )
