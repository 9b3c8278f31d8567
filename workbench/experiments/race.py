"""A race: several ways to train the same model, from the same start, on the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import RecipeError
from workbench.experiments.quick_evaluation import QuickEvaluation
from workbench.experiments.repeats import Repeats
from workbench.experiments.trial import RunningTrial, Trial
from workbench.recipe import Train
from workbench.threads import threads
from workbench.validation import expect_count, expect_mapping, expect_model, expect_settings

SLICE = 0.05
"""Seconds for which one contestant trains before the next one does."""


@dataclass(frozen=True)
class RaceResult(Repeats):
    """A contestant's exact figures on validation, one for each repeat that has ended."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Race:
    """How a race stands: a lane for each contestant in each repeat begun, as plain data.

    `metric` is the task's, of which all figures are.
    """

    trials: tuple[Trial, ...]
    repeats: int
    metric: Metric = ACCURACY

    @property
    def names(self) -> tuple[str, ...]:
        """The contestants in the order in which they were given."""
        return tuple(dict.fromkeys(lane.name for lane in self.trials))

    @property
    def over(self) -> bool:
        """Whether every repeat of every contestant has ended."""
        ended = sum(lane.value is not None for lane in self.trials)
        return ended == len(self.names) * self.repeats

    @property
    def ranking(self) -> tuple[RaceResult, ...]:
        """The contestants, the best mean figure first; level ones as they were given."""
        found = [RaceResult(name, self._values(name)) for name in self.names]
        return tuple(sorted(found, key=lambda one: self.metric.sort_key(one.mean), reverse=True))

    @property
    def winner(self) -> RaceResult | None:
        """The contestant with the best mean figure on validation, once the race is over."""
        return self.ranking[0] if self.over else None

    def _values(self, name: str) -> tuple[float, ...]:
        mine = (lane.value for lane in self.trials if lane.name == name)
        return tuple(value for value in mine if value is not None)


def race(
    model: Model,
    contestants: Mapping[str, Train],
    *,
    repeats: int = 1,
    checks: int = 15,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Race]:
    """Train `model` in several ways side by side and yield how they stand after each look.

    Whoever has trained for the fewest seconds goes next, for a moment, so that the curves by
    second compare although the machine may be busy at times. In one repeat all have the same
    seed: the same fresh weights where they begin from scratch, and the same order of examples
    where batches are equal. Curves are of the task's metric: estimates on 1,000 validation
    examples, the same ones throughout; the figure at the end is exact.

    Parameters
    ----------
    contestants
        What to train with, by names of your choice.
    repeats
        How often all is done again, each time with the next seed.
    looks
        How often each contestant is measured on its way.

    Raises
    ------
    RecipeError
        When there is nobody to race, or they train on different numbers of threads.
    Cancelled
        As soon as `cancelled()` answers True.

    >>> import workbench as wb
    >>> from workbench.experiments import race
    >>> rules = {"SGD": wb.Train(8, start="scratch", optimizer="sgd")}
    >>> rules["Adam"] = wb.Train(8, start="scratch", optimizer="adam")
    >>> *_, last = race(wb.model("fashion/lenet-300-100"), rules)
    >>> last.winner.name
    'Adam'
    """
    expect_model(model)
    expect_mapping(contestants, "Contestants")
    _check(contestants, repeats, checks)
    return _raced(model, contestants, repeats, checks, cancelled)


def _raced(
    model: Model,
    contestants: Mapping[str, Train],
    repeats: int,
    checks: int,
    cancelled: Callable[[], bool],
) -> Iterator[Race]:
    look = QuickEvaluation(model, model.task.split("validation"))
    ended: tuple[Trial, ...] = ()
    for repeat in range(repeats):
        with ExitStack() as stack:
            # Runs interleave, and each would else leave the next one a count of its own.
            stack.enter_context(threads(_threads(contestants)))
            field = []
            for name, settings in contestants.items():
                seeded = replace(settings, seed=settings.seed + repeat)
                lane = Trial(name, seeded, repeat)
                contestant = RunningTrial(model, lane, look, checks=checks, cancelled=cancelled)
                field.append(stack.enter_context(closing(contestant)))
            while still := [one for one in field if one.state == "training"]:
                if min(still, key=lambda one: one.seconds).advance(SLICE):
                    lanes = ended + tuple(one.trial for one in field)
                    yield Race(lanes, repeats, model.task.metric)
            ended += tuple(one.trial for one in field)


def _threads(contestants: Mapping[str, Train]) -> int:
    return next(iter(contestants.values())).threads


def _check(contestants: Mapping[str, Train], repeats: int, checks: int) -> None:
    if not contestants:
        raise RecipeError("A race needs contestants: give names and what each trains with.")
    for name, settings in contestants.items():
        expect_settings(settings, f"The contestant {name}")
        if settings.threads != _threads(contestants):
            raise RecipeError(
                f"The contestant {name} trains on another number of threads than the first: give "
                "all the same, so that their seconds compare."
            )
    expect_count(repeats, "The number of repeats")
    expect_count(checks, "The number of looks")
