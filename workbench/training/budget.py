"""From seconds to steps: how many fit is measured when training is asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

from workbench.errors import RecipeError, WorkbenchError
from workbench.recipe import Recipe
from workbench.training.lesson import lesson
from workbench.training.run import Run
from workbench.zoo import Model

VARIABLE = "WORKBENCH_BUDGET"
WARM_UP = 3
PILOT = 5
MOST = 200_000


def granted(seconds: float) -> float:
    """Return `seconds`, or fewer where the environment variable `WORKBENCH_BUDGET` grants less.

    Raises
    ------
    WorkbenchError
        When the variable holds no number above 0.
    """
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
) -> int:
    """Return how many steps of `recipe` take about `seconds` here and now, at least one.

    Raises
    ------
    RecipeError
        When there is nothing to spend.
    Cancelled
        When `cancelled()` answers True on the way.
    """
    if not 0 < seconds <= 86_400:
        raise RecipeError("The time to train must be above 0 and at most 86400 seconds.")
    assert recipe.train is not None
    pilot = replace(recipe.train, steps=WARM_UP + PILOT)
    run = Run(lesson(model, recipe, cancelled), replace(recipe, train=pilot))
    took = 0.0
    begin = time.perf_counter()
    for moment in run.go(cancelled=cancelled):
        if moment.step > WARM_UP:
            took += time.perf_counter() - begin
        begin = time.perf_counter()
    return max(1, min(MOST, int(seconds / (took / PILOT))))
