"""The learning-rate range test: at which learning rate the loss falls fastest (arXiv 1506.01186).

The learning rate rises exponentially from step to step. Where it is too low the loss hardly
moves, then it falls, and where the rate is too high it explodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.optim.lr_scheduler import ExponentialLR

from workbench.domain import Model
from workbench.errors import RecipeError, TrainingError
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.validation import expect_count, expect_model, expect_settings

WIDTH = 0.03
"""The width of the smoothing, as a share of all steps."""
LEAST = 10
"""Steps."""
EXPLODED = 4.0
"""How many times the least loss so far is an explosion."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test saw, by step, as plain data.

    `losses` are those of the batches, `smoothed` their weighted means over neighbours on both
    sides. `exploded` says whether it ended because the loss did.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    diverged: bool

    @property
    def suggestion(self) -> float | None:
        """The learning rate of the steepest descent before the least loss; None if none fell."""
        fell = int(np.argmin(self.smoothed)) if self.smoothed else 0
        if fell < 2:
            return None
        slopes = np.gradient(self.smoothed, np.log(self.rates))[: fell + 1]
        return float(f"{self.rates[int(np.argmin(slopes))]:.2g}")


class RisingRun(Run):
    """A run whose learning rate rises by the same factor from step to step, up to `high`."""

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
    progress: Callable[[RangeTest], None] = lambda test: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> RangeTest:
    """Train with a learning rate that rises from `low` to `high`, and see where the loss falls.

    Parameters
    ----------
    settings
        How to train, but for the learning rate, its schedule and the steps; from scratch with
        AdamW unless given. The suggestion is good for these settings alone.
    progress
        Called after every step with what has been seen so far.

    Raises
    ------
    RecipeError
        When a learning rate is out of range, or `low` is not below `high`.
    Cancelled
        As soon as `cancelled()` answers True.
    """
    expect_model(model)
    chosen = (
        Train(start="scratch") if settings is None else expect_settings(settings, "How to train")
    )
    steps = expect_count(steps, "The steps of a range test", LEAST)
    steady = replace(chosen, schedule="constant", steps=steps, patience=0)
    rising = replace(steady, learning_rate=low)
    replace(chosen, learning_rate=high)  # as the line above, refuses what no training would take
    if not low < high:
        raise RecipeError("The range of learning rates must begin below its end.")
    run = RisingRun(model, rising, high)
    rates = [rising.learning_rate * run.factor**step for step in range(steps)]
    losses: list[float] = []
    test = RangeTest((), (), (), diverged=False)
    try:
        for moment in run.go(cancelled=cancelled):
            losses.append(moment.loss)
            smooth = smoothed(losses, WIDTH * steps)
            exploded = smooth[-1] > EXPLODED * min(smooth)
            test = RangeTest(tuple(rates[: len(losses)]), tuple(losses), smooth, exploded)
            progress(test)
            if exploded:
                break
    except TrainingError:  # the loss is no number: it exploded
        test = replace(test, diverged=True)
        progress(test)
    return test


def smoothed(losses: Sequence[float], width: float) -> tuple[float, ...]:
    """Return means of neighbours, weighted by a bell curve whose deviation is `width` steps.

    Centred, because a mean of the past alone would move every fall to a higher learning rate.
    """
    places = np.arange(len(losses))
    weights = np.exp(-(((places[:, None] - places) / width) ** 2) / 2)
    means = weights @ np.asarray(losses) / weights.sum(axis=1)
    return tuple(float(mean) for mean in means)
