"""From seconds to steps: how many fit is measured when training is asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

from workbench.errors import RecipeError, WorkbenchError
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.training.lesson import lesson
from workbench.training.run import Run
from workbench.zoo import Model

VARIABLE = "WORKBENCH_BUDGET"
WARM_UP = 3
"""Steps that do not count: the first ones are slow."""
PILOT = 40
SHARE = 0.04
"""Of the seconds, that a pilot of so many steps may take."""
LEAST = 5
LONGEST = 86_400.0
"""Seconds for which one may ask."""
LONG = 10_000
"""Steps that a pilot pretends to take, so that zeros come in as rarely as they will."""
MOST = 200_000


def granted(seconds: float) -> float:
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
) -> int:
    """Return how many steps of `recipe` fit into about `seconds` here and now, at least one.

    What comes before the first step, a teacher's outputs and this trial, is taken off the time, up
    to three quarters of it.

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
    pilot = replace(recipe.train, steps=LONG, patience=0)
    run = Run(lesson(model, recipe, cancelled), replace(recipe, train=pilot))
    taken: list[float] = []
    begin = first = time.perf_counter()
    for moment in run.go(cancelled=cancelled):
        now = time.perf_counter()
        if moment.step > WARM_UP:
            taken.append(now - begin)
        enough = len(taken) == PILOT or now - first > SHARE * seconds
        if len(taken) >= LEAST and enough:
            break
        begin = now
    left = max(seconds / 4, seconds - (time.perf_counter() - start))
    return max(1, min(MOST, int(left / fmean(taken))))


def _check(seconds: object) -> None:
    real = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if real and 0 < seconds <= LONGEST:  # type: ignore[operator]
        return
    raise RecipeError(
        f"The time to train must be above 0 and at most {LONGEST:.0f} seconds, not "
        f"{brief(seconds)}."
    )
