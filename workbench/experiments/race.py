"""A race: train the same model in several ways, from the same start, on the same data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
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
"""Seconds that one trial trains before the next one continues."""


@dataclass(frozen=True)
class RaceResult(Repeats):
    """The exact metric on validation of one candidate, for each completed repeat."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Race(Displayable):
    """The state of a race: one trial per candidate in each repeat begun.

    `metric` is the metric of the task, which all values refer to.
    """

    _plots = "curves"

    trials: tuple[Trial, ...]
    repeats: int
    metric: Metric = ACCURACY

    def __repr__(self) -> str:
        ended = sum(trial.value is not None for trial in self.trials)
        best = self.winner or next(iter(self.ranking), None)
        first = f", first {best.name}" if best and best.values else ""
        return f"<Race of {len(self.names)}, {ended} of {self.total} runs ended{first}>"

    @property
    def total(self) -> int:
        """The number of training runs when every candidate has been repeated."""
        return len(self.names) * self.repeats

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the candidates, in the order given."""
        return tuple(dict.fromkeys(trial.name for trial in self.trials))

    @property
    def over(self) -> bool:
        """Whether every repeat of every candidate has ended."""
        ended = sum(trial.value is not None for trial in self.trials)
        return ended == self.total

    @property
    def ranking(self) -> tuple[RaceResult, ...]:
        """The candidates by mean value, best first. Ties keep the order given."""
        results = [RaceResult(name, self._values(name)) for name in self.names]
        return tuple(sorted(results, key=lambda r: self.metric.sort_key(r.mean), reverse=True))

    @property
    def winner(self) -> RaceResult | None:
        """The candidate with the best mean value, once the race is over."""
        return self.ranking[0] if self.over else None

    def _values(self, name: str) -> tuple[float, ...]:
        values = (trial.value for trial in self.trials if trial.name == name)
        return tuple(value for value in values if value is not None)


def race(
    model: Model,
    candidates: Mapping[str, Train],
    *,
    repeats: int = 1,
    checks: int = 15,
    cancel: CancelToken = NEVER,
) -> Iterator[Race]:
    """Train `model` in several ways side by side, and yield the state of the race after each check.

    The candidate with the least training time continues next, for a short time slice. So curves
    over seconds are comparable even if the machine is busy at times. Within a repeat all
    candidates have the same seed: the same initial weights if they start from scratch, and the same
    order of examples if their batch sizes are equal. Curves show the task's metric, estimated on
    the same 1,000 validation examples; final values are exact.

    Parameters
    ----------
    candidates
        Training settings by name.
    repeats
        Number of repeats, each with the next seed.
    checks
        Number of evaluations of each trial.

    Raises
    ------
    RecipeError
        If there are no candidates, or their numbers of threads differ.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.experiments import race
    >>> rules = {"SGD": wb.Train(8, start="scratch", optimizer="sgd")}
    >>> rules["Adam"] = wb.Train(8, start="scratch", optimizer="adam")
    >>> *_, last = race(wb.model("fashion/lenet-300-100"), rules)
    >>> last.winner.name
    'Adam'
    """
    expect_model(model)
    expect_mapping(candidates, "The candidates")
    _check(candidates, repeats, checks)
    return _race(model, candidates, repeats, checks, cancel)


def _race(
    model: Model,
    candidates: Mapping[str, Train],
    repeats: int,
    checks: int,
    cancel: CancelToken,
) -> Iterator[Race]:
    evaluation = QuickEvaluation(model, model.task.split("validation"))
    ended: tuple[Trial, ...] = ()
    for repeat in range(repeats):
        with ExitStack() as stack:
            # Interleaved runs would otherwise leave their number of threads to the next one.
            stack.enter_context(threads(_threads(candidates)))
            running = []
            for name, settings in candidates.items():
                trial = Trial(name, replace(settings, seed=settings.seed + repeat), repeat)
                started = RunningTrial(model, trial, evaluation, checks=checks, cancel=cancel)
                running.append(stack.enter_context(closing(started)))
            while active := [trial for trial in running if trial.state == "training"]:
                if min(active, key=lambda trial: trial.seconds).advance(SLICE):
                    trials = ended + tuple(trial.trial for trial in running)
                    yield Race(trials, repeats, model.task.metric)
            ended += tuple(trial.trial for trial in running)


def _threads(candidates: Mapping[str, Train]) -> int:
    return next(iter(candidates.values())).threads


def _check(candidates: Mapping[str, Train], repeats: int, checks: int) -> None:
    if not candidates:
        raise RecipeError(
            "A race needs candidates: pass a dict from names to training settings.",
            code="training.no_candidates",
        )
    for name, settings in candidates.items():
        expect_settings(settings, f"The candidate {name}")
        if settings.threads != _threads(candidates):
            raise RecipeError(
                f"The candidate {name} has a different number of threads than the first: use "
                "the same number for all candidates, so that their times are comparable.",
                code="training.threads_differ",
            )
    expect_count(repeats, "The number of repeats")
    expect_count(checks, "The number of checks")
