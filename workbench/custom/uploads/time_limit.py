"""A limit on the seconds that a small network is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from math import inf

from workbench.checkpoints.loop import Weights
from workbench.domain.training_plan import TrainingPlan
from workbench.errors import InputError

Step = Callable[[float], None]
Validate = Callable[[Weights], float]
Train = Callable[[TrainingPlan, Validate, Step], Weights]

PILOT = 30
"""Steps that are timed before the training."""
WARM_UP = 5
"""The first steps of the pilot, which are slower and are not counted."""
PILOT_SHARE = 0.2
"""Share of the seconds after which the pilot ends, after two steps at least."""
USABLE = 0.85
"""Share of the remaining seconds that the steps are planned for."""
LEAST_STEPS = 300
"""Steps that are trained in any case, if they are cheap."""
CHEAP = 3.0
"""Seconds that these steps may take beyond the limit."""
LEAST_SPAN = 5
"""Steps that the weight average of a shortened plan spans, at least."""


def check_seconds(seconds: float | None) -> None:
    """Check a limit on the seconds of a training.

    Raises
    ------
    InputError
        If it is not a number above 0.
    """
    if seconds is not None and not 0 < seconds < inf:
        raise InputError(
            f"seconds must be a number above 0, not {seconds!r}.", code="training.seconds"
        )


class _Stop(Exception):
    """Ends a run, which did not fail."""


def train_within(
    seconds: float, plan: TrainingPlan, examples: int, train: Train, validate: Validate, step: Step
) -> tuple[Weights, int]:
    """Return the weights of a training run that takes about `seconds` or less.

    The plan is shortened to the epochs that fit: at least one, and at least `LEAST_STEPS` steps
    if these take at most `CHEAP` seconds more. If steps become slower meanwhile, the run stops with
    the best weights of the epochs so far. The time before the first step does not count.

    Parameters
    ----------
    seconds
        The limit, above 0.
    plan
        The training plan, which is followed if it takes less time.
    examples
        The number of training examples.
    train
        Trains by a plan. It calls its second argument after each epoch and its third argument
        after each step.
    validate
        Returns a score of weights, higher for better ones.
    step
        Called after each step with the completed fraction.

    Returns
    -------
    weights : dict of Tensor
        The best weights.
    epochs : int
        The complete epochs of the run.
    """
    start, per_step = _pilot(plan, train, PILOT_SHARE * seconds)
    per_epoch = per_step * (examples // plan.batch_size)
    least = max(1, LEAST_STEPS // (examples // plan.batch_size))
    fitting = USABLE * (start + seconds - time.perf_counter())
    if fitting < least * per_epoch:
        fitting = min(least * per_epoch, max(fitting, CHEAP))
    epochs = max(1, min(plan.epochs, int(fitting / per_epoch + 1e-6)))
    best: list[Weights] = []
    best_score, completed = -inf, 0

    def scored(weights: Weights) -> float:
        nonlocal best_score, completed
        completed += 1
        score = validate(weights)
        if score > best_score or not best:
            best_score = score
            best[:] = [{name: tensor.clone() for name, tensor in weights.items()}]
        return score

    def limited(fraction: float) -> None:
        step(fraction)
        over = time.perf_counter() - start - seconds
        if best and over > (0 if completed >= least else CHEAP):
            raise _Stop

    try:
        return train(_shortened(plan, epochs), scored, limited), completed
    except _Stop:
        step(1.0)
        return best[0], completed


def _shortened(plan: TrainingPlan, epochs: int) -> TrainingPlan:
    """Return a plan of fewer epochs, whose weight average spans the same share of the steps."""
    span = 1 / (1 - plan.average)
    shorter = max(span * epochs / plan.epochs, min(span, LEAST_SPAN))
    return plan if epochs == plan.epochs else replace(plan, epochs=epochs, average=1 - 1 / shorter)


def _pilot(plan: TrainingPlan, train: Train, longest: float) -> tuple[float, float]:
    """Return the time after the first step, and the seconds of one step.

    They are those of a few steps of a run whose result is dropped. Before the first step, modules
    are imported.
    """
    times: list[float] = []
    numbers = count(1)

    def timed(_fraction: float) -> None:
        times.append(time.perf_counter())
        if next(numbers) >= PILOT or (len(times) > 1 and times[-1] - times[0] > longest):
            raise _Stop

    with suppress(_Stop):
        train(plan, lambda _weights: 0.0, timed)
    first = min(WARM_UP, len(times) - 2)
    return times[0], (times[-1] - times[first]) / (len(times) - 1 - first)
