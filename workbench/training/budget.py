"""Convert a time budget in seconds to training steps, by timing a short pilot run."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import InputError, RecipeError
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import brief
from workbench.training import teacher as teacher_module
from workbench.training.early_stopping import EarlyStopping
from workbench.training.forward import MICROBATCH
from workbench.training.run import RECALIBRATION_BATCHES, Run
from workbench.training.setup import can_precompute, training_setup
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
"""Share of the seconds above which a step on a part of the batch is the pilot."""
MAX_SAVED = 0.95
"""The largest share of a step that a teacher can take.

Without this limit, steps would be free if a teacher happened to be timed slower than a step.
"""
BATCH_PARTS = 8
"""Parts of a batch, of which the first step of the pilot takes one."""
CHECK_SAMPLE = 4 * MICROBATCH
"""Examples on which a validation check is timed; one microbatch where steps are slow."""
RECALIBRATION_SAMPLE = 4
"""Microbatches on which batch-norm recalibration is timed."""
MIN_STEP_SHARE = 1 / 8
"""Share of the seconds that is always reserved for steps."""
COURSE_SHARE = 0.08
"""Share of the time of the steps in which the file is measured meanwhile, if the run is watched."""
MAX_SECONDS = 86_400.0
PLANNED_STEPS = 10_000
"""Steps in the recipe of the pilot, so that masks change as rarely as in a long run."""
MAX_STEPS = 200_000


def capped_seconds(seconds: float) -> float:
    """Return `seconds`, or the value of the environment variable `WORKBENCH_BUDGET` if smaller.

    Raises
    ------
    RecipeError
        If `seconds` is out of range.
    InputError
        If the variable is not a number above 0.
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
    cancel: CancelToken = NEVER,
    finish: Finish | None = None,
    *,
    watched: bool = False,
) -> int:
    """Return how many training steps of `recipe` fit into `seconds` on this machine, at least one.

    A pilot run times the setup, some steps, part of the batch-norm recalibration, one check of
    early stopping, one change of masks, and `finish`, which makes the file. The time of the pilot
    and of all other parts of a run is subtracted from the budget, but an eighth of it is always
    reserved for steps. A teacher's logits are precomputed only by runs that see every example. If
    the run is `watched`, measuring its file meanwhile takes `COURSE_SHARE` in addition.

    Raises
    ------
    RecipeError
        If `seconds` is out of range.
    Cancelled
        If `cancel` is cancelled.
    """
    _check(seconds)
    assert recipe.train is not None
    start = time.perf_counter()
    settings = recipe.train
    pilot = replace(recipe, train=replace(settings, steps=PLANNED_STEPS, batch_norm="keep"))
    short = replace(recipe, train=replace(settings, steps=1, batch_norm="keep"))
    run = Run(training_setup(model, short, cancel), pilot)
    # The second setup finds statistics cached, as the real run will.
    overhead = _timed(lambda: Run(training_setup(model, short, cancel), pilot))
    step, slow = _seconds_per_step(run, pilot, seconds, cancel)
    if settings.batch_norm == "recalibrate":
        total = min(RECALIBRATION_BATCHES, -(-len(run.setup.labels) // MICROBATCH))
        sample = min(RECALIBRATION_SAMPLE, total)
        overhead += total / sample * _timed(lambda: run.recalibrate(cancel, sample))
    mask = _timed(run.recompute_masks) if settings.sparsening != "one_shot" else 0.0
    check = _seconds_per_check(run, cancel, slow=slow)
    if finish is not None:
        overhead += _timed(lambda: finish(model, recipe, run.setup, run.trained()))
    precompute, saved = _teacher_seconds(model, settings, run)
    saved = min(saved, MAX_SAVED * step)
    examples = len(run.setup.labels)
    elapsed = time.perf_counter() - start
    available = max(seconds * MIN_STEP_SHARE, seconds - elapsed - overhead)

    def duration(steps: int) -> float:
        masks = sparsity_schedule(settings.sparsening, steps)
        checks = EarlyStopping(replace(settings, steps=steps), max(masks)).checks
        total = steps * step + (len(masks) - 1) * mask + checks * check
        total *= 1 + COURSE_SHARE * watched
        if steps * settings.batch >= examples:
            total += precompute - steps * saved
        return total

    return bisect_right(range(2, MAX_STEPS + 1), available, key=duration) + 1


def _seconds_per_step(
    run: Run, pilot: Recipe, seconds: float, cancel: CancelToken
) -> tuple[float, bool]:
    """Return the median time of a step, and whether steps are slow.

    Steps are slow if they take a large share of `seconds`: their time then follows from a step on a
    part of the batch, the second one, because the first loads code and fills caches.
    """
    assert pilot.train is not None
    part = -(-pilot.train.batch // BATCH_PARTS)
    small = replace(pilot, train=replace(pilot.train, batch=part))
    steps = Run(run.setup, small).go(cancel=cancel)
    step = _timed(lambda: next(steps)) * pilot.train.batch / part
    if step > LONG_STEP * seconds:
        step = _timed(lambda: next(steps)) * pilot.train.batch / part
        if step > LONG_STEP * seconds:
            return step, True
    times: list[float] = []
    begin = time.perf_counter()
    for event in run.go(cancel=cancel):
        spent = time.perf_counter() - begin
        if event.step > 1:
            times.append(spent)
        enough = len(times) >= WARM_UP + PILOT or sum(times) > PILOT_SHARE * seconds
        if len(times) >= MIN_PILOT and enough:
            break
        begin = time.perf_counter()
    return median(times[min(WARM_UP, len(times) // 2) :]), False


def _seconds_per_check(run: Run, cancel: CancelToken, *, slow: bool) -> float:
    """Return the time of a validation check, from a part of the examples."""
    if not run.settings.patience or run.setup.held_out is None:
        return 0.0
    total = len(run.setup.held_out.labels)
    sample = min(total, MICROBATCH if slow else CHECK_SAMPLE)
    return total / sample * _timed(lambda: run.evaluate_held_out(cancel, sample))


def _teacher_seconds(model: Model, settings: Train, run: Run) -> tuple[float, float]:
    """Return the time to precompute the teacher's logits, and what a step then saves."""
    teacher = run.setup.teacher
    if teacher is None or not can_precompute(model, settings):
        return 0.0, 0.0
    setup = run.setup
    inputs = setup.inputs(setup.examples[: teacher_module.BATCH])
    batch = min(_timed(lambda: teacher.predict(inputs)) for _ in range(2))
    examples = len(setup.labels)
    known = teacher_module.is_precomputed(settings.teacher, model)
    each = batch / min(teacher_module.BATCH, examples)
    return 0.0 if known else each * examples, each * settings.batch


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
