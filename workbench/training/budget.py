"""From seconds to steps: how many fit is measured when training is asked for."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from workbench.domain import Model
from workbench.errors import RecipeError, WorkbenchError
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.training.early_stopping import EarlyStopping
from workbench.training.run import MICROBATCH, RECALIBRATION_BATCHES, Run
from workbench.training.setup import training_setup
from workbench.training.sparsity_schedule import sparsity_schedule
from workbench.training.types import TrainingResult, TrainingSetup

Finish = Callable[[Model, Recipe, TrainingSetup, TrainingResult], object]
VARIABLE = "WORKBENCH_BUDGET"
WARM_UP = 3
"""Steps after the first one that do not count, unless there are few: they are slow."""
PILOT = 100
SHARE = 0.08
"""Of the seconds, that a pilot of so many steps may take."""
LEAST = 1
"""Steps after the first one that it takes however slow they are."""
LONG_STEP = 0.2
"""Of the seconds, that the first step may take if there are to be others."""
FEW = 4
"""Portions on which measuring batch norm is tried."""
LEFT = 1 / 8
"""Of the seconds, what steps have at least."""
LONGEST = 86_400.0
"""Seconds for which one may ask."""
LONG = 10_000
"""Steps that a pilot pretends to take, so that zeros come in as rarely as they will."""
MOST = 200_000


def capped_seconds(seconds: float) -> float:
    """Return `seconds`, or fewer where the environment variable `WORKBENCH_BUDGET` grants less.

    Raises
    ------
    RecipeError
        When `seconds` are no time to spend.
    WorkbenchError
        When the variable holds no number above 0.
    """
    _check(seconds)
    given = os.environ.get(VARIABLE, "")
    try:
        most = float(given or "inf")
    except ValueError:
        most = 0.0
    if not most > 0:
        raise WorkbenchError(f"{VARIABLE} must be a number of seconds above 0: it is {given!r}.")
    return min(seconds, most)


def steps_for(
    model: Model,
    recipe: Recipe,
    seconds: float,
    cancelled: Callable[[], bool] = lambda: False,
    finish: Finish | None = None,
) -> int:
    """Return how many steps of `recipe` fit into about `seconds` here and now, at least one.

    A pilot is timed: its setup, some steps, a part of measuring batch norm, one look of early
    stopping, one change of masks, and `finish`, which makes the file of what was learned. What
    the pilot takes, and what the run will take beside its steps, comes off the time, of which an
    eighth is left for them in any case. A teacher's outputs are computed in the pilot.

    Raises
    ------
    RecipeError
        When there is nothing to spend.
    Cancelled
        When `cancelled()` answers True on the way.
    """
    _check(seconds)
    assert recipe.train is not None
    start = time.perf_counter()
    settings = recipe.train
    pilot = replace(recipe, train=replace(settings, steps=LONG, batch_norm="keep"))
    begun = Run(
        training_setup(model, pilot, cancelled), pilot
    )  # later ones find evidence and teacher known
    beside = _timed(lambda: Run(training_setup(model, pilot, cancelled), pilot))
    step = _pace(begun, seconds, cancelled)
    if settings.batch_norm == "recalibrate":
        portions = min(RECALIBRATION_BATCHES, -(-len(begun.setup.labels) // MICROBATCH))
        few = min(FEW, portions)
        beside += portions / few * _timed(lambda: begun.recalibrate(cancelled, few))
    mask = _timed(begun.recompute_masks) if settings.sparsening != "one-shot" else 0.0
    look = _timed(lambda: begun.look(cancelled)) if settings.patience else 0.0
    if finish is not None:
        beside += _timed(lambda: finish(model, recipe, begun.setup, begun.trained()))
    left = max(seconds * LEFT, seconds - (time.perf_counter() - start) - beside)

    def takes(steps: int) -> float:
        of_many = replace(settings, steps=steps)
        masks = sparsity_schedule(settings.sparsening, steps)
        looks = EarlyStopping(of_many, max(masks)).checks
        return steps * step + (len(masks) - 1) * mask + looks * look

    return bisect_right(range(2, MOST + 1), left, key=takes) + 1


def _pace(run: Run, seconds: float, cancelled: Callable[[], bool]) -> float:
    """Return the seconds of a step; all but the first take a small share of `seconds` altogether.

    Where the first one takes much of them by itself, it has to do.
    """
    taken: list[float] = []
    most = SHARE * seconds
    begin = time.perf_counter()
    for moment in run.go(cancelled=cancelled):
        spent = time.perf_counter() - begin
        if moment.step == 1 and spent > LONG_STEP * seconds:
            return spent
        if moment.step > 1:
            taken.append(spent)
        if len(taken) >= LEAST and (len(taken) >= WARM_UP + PILOT or sum(taken) > most):
            break
        begin = time.perf_counter()
    return median(taken[min(WARM_UP, len(taken) // 2) :])


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _check(seconds: object) -> None:
    real = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if real and 0 < seconds <= LONGEST:  # type: ignore[operator]
        return
    raise RecipeError(
        f"The time to train must be above 0 and at most {LONGEST:.0f} seconds, not "
        f"{brief(seconds)}."
    )
