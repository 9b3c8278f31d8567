"""The learning-rate range test: find where the loss falls fastest (Smith, arXiv 1506.01186).

The learning rate rises exponentially from step to step. At first the loss hardly changes, then it
falls, and when the rate is too high it diverges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.optim.lr_scheduler import ExponentialLR

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import RecipeError, TrainingError
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.validation import expect_count, expect_model, expect_settings

WIDTH = 0.03
"""Width of the smoothing, as a share of all steps."""
MIN_STEPS = 10
DIVERGED = 4.0
"""The loss has diverged at this multiple of the smallest loss so far."""


@dataclass(frozen=True)
class RangeTest:
    """The result of a range test, by step.

    Attributes
    ----------
    rates, losses : tuple of float
        Learning rate and loss of each batch.
    smoothed : tuple of float
        Losses, averaged with their neighbors on both sides.
    diverged : bool
        Whether the test ended because the loss diverged.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    diverged: bool

    @property
    def suggestion(self) -> float | None:
        """The rate of the steepest descent before the minimum; None if the loss never fell."""
        lowest = int(np.argmin(self.smoothed)) if self.smoothed else 0
        if lowest < 2:
            return None
        slopes = np.gradient(self.smoothed, np.log(self.rates))[: lowest + 1]
        return float(f"{self.rates[int(np.argmin(slopes))]:.2g}")


class RisingRun(Run):
    """A run whose learning rate rises by a constant factor per step, up to `high`."""

    def __init__(self, model: Model, settings: Train, high: float) -> None:
        self.factor = (high / settings.learning_rate) ** (1 / (settings.steps - 1))
        recipe = Recipe(train=settings)
        super().__init__(training_setup(model, recipe), recipe)

    def _make_optimizer(self) -> None:
        super()._make_optimizer()
        self._schedule = ExponentialLR(self._optimizer, gamma=self.factor)


def find_learning_rate(
    model: Model,
    settings: Train | None = None,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 150,
    on_update: Callable[[RangeTest], None] = lambda test: None,
    cancel: CancelToken = NEVER,
) -> RangeTest:
    """Train with a learning rate that rises from `low` to `high`, and record the loss.

    Parameters
    ----------
    settings
        Training settings, of which learning rate, schedule and steps are ignored; from scratch
        with AdamW unless given. The suggestion holds for these settings only.
    on_update
        Called with the result so far after each step.

    Raises
    ------
    RecipeError
        If a learning rate is out of range, or `low` is not below `high`.
    Cancelled
        If `cancel` is cancelled.
    """
    expect_model(model)
    if settings is None:
        settings = Train(start="scratch")
    expect_settings(settings, "The training settings")
    steps = expect_count(steps, "The steps of a range test", MIN_STEPS)
    fixed = replace(settings, schedule="constant", steps=steps, patience=0)
    rising = replace(fixed, learning_rate=low)
    replace(settings, learning_rate=high)  # validates `high`, as the line above does `low`
    if not low < high:
        raise RecipeError(
            "The low end of the learning rates must be below the high end.",
            code="training.learning_rate_range",
        )
    run = RisingRun(model, rising, high)
    rates = [rising.learning_rate * run.factor**step for step in range(steps)]
    losses: list[float] = []
    test = RangeTest((), (), (), diverged=False)
    try:
        for step in run.go(cancel=cancel):
            losses.append(step.loss)
            smooth = smoothed(losses, WIDTH * steps)
            diverged = smooth[-1] > DIVERGED * min(smooth)
            test = RangeTest(tuple(rates[: len(losses)]), tuple(losses), smooth, diverged)
            on_update(test)
            if diverged:
                break
    except TrainingError:  # the loss is not finite
        test = replace(test, diverged=True)
        on_update(test)
    return test


def smoothed(losses: Sequence[float], width: float) -> tuple[float, ...]:
    """Return the losses convolved with a Gaussian whose standard deviation is `width` steps.

    The window is centered: a mean over past steps only would shift every fall to a higher rate.
    """
    positions = np.arange(len(losses))
    weights = np.exp(-(((positions[:, None] - positions) / width) ** 2) / 2)
    means = weights @ np.asarray(losses) / weights.sum(axis=1)
    return tuple(float(mean) for mean in means)
