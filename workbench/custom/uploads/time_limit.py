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
) -> Weights:
    """Return the weights of a training run that takes about `seconds` or less.

    The plan is shortened to the epochs that fit, at least one. If steps become slower meanwhile,
    the run stops after the seconds with the best weights of the epochs so far.

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
    """
    start = time.perf_counter()
    per_step = _step_seconds(plan, train, start + PILOT_SHARE * seconds)
    remaining = seconds - (time.perf_counter() - start)
    epochs = int(USABLE * remaining / per_step / (examples // plan.batch_size))
    best: list[Weights] = []
    best_score = -inf

    def scored(weights: Weights) -> float:
        nonlocal best_score
        score = validate(weights)
        if score > best_score or not best:
            best_score = score
            best[:] = [{name: tensor.clone() for name, tensor in weights.items()}]
        return score

    def limited(fraction: float) -> None:
        step(fraction)
        if best and time.perf_counter() - start > seconds:
            raise _Stop

    try:
        return train(replace(plan, epochs=max(1, min(plan.epochs, epochs))), scored, limited)
    except _Stop:
        step(1.0)
        return best[0]


def _step_seconds(plan: TrainingPlan, train: Train, deadline: float) -> float:
    """Return the seconds of one step, from a few steps of a run whose result is dropped."""
    times: list[float] = []
    numbers = count(1)

    def timed(_fraction: float) -> None:
        times.append(time.perf_counter())
        if next(numbers) >= PILOT or (len(times) > 1 and times[-1] > deadline):
            raise _Stop

    with suppress(_Stop):
        train(plan, lambda _weights: 0.0, timed)
    first = min(WARM_UP, len(times) - 2)
    return (times[-1] - times[first]) / (len(times) - 1 - first)
