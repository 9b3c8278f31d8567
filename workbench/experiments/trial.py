"""One training that is looked at on the way, and may stop before its last step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from workbench.domain import Model
from workbench.errors import TrainingError
from workbench.evaluation.scores import iter_scores
from workbench.experiments.quick_evaluation import QuickEvaluation
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.types import TrainingStep

State = Literal["training", "finished", "stopped early", "diverged"]


@dataclass(frozen=True)
class Point:
    """One look at a training: the mean loss since the last look, an estimate of its figure.

    `seconds` count training alone, neither looks nor other contestants.
    """

    step: int
    seconds: float
    loss: float
    value: float


@dataclass(frozen=True)
class Trial:
    """One contestant in one repeat: its curve, and its exact figure on validation at the end.

    `problem` is the sentence that says why a training diverged.
    """

    name: str
    settings: Train
    repeat: int
    points: tuple[Point, ...] = ()
    state: State = "training"
    value: float | None = None
    problem: str | None = None


class RunningTrial:
    """Trains `model` from `settings`, looking `looks` times at validation examples."""

    def __init__(
        self,
        model: Model,
        trial: Trial,
        look: QuickEvaluation,
        *,
        checks: int,
        cancelled: Callable[[], bool],
    ) -> None:
        recipe = Recipe(train=trial.settings)
        self.model = model
        self.look = look
        self.cancelled = cancelled
        self.name = trial.name
        self.repeat = trial.repeat
        self.settings = trial.settings
        self.points: list[Point] = []
        self.state: State = "training"
        self.problem: str | None = None
        self.value: float | None = None
        self._run = Run(training_setup(model, recipe), recipe)
        self._moments = self._run.go(cancelled=cancelled)
        steps = trial.settings.steps
        self._when = {steps * (number + 1) // checks for number in range(checks)} - {0}
        self._losses: list[float] = []

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        return self._run.seconds

    @property
    def trial(self) -> Trial:
        """What there is to see now, as plain data."""
        return Trial(
            self.name,
            self.settings,
            self.repeat,
            tuple(self.points),
            self.state,
            self.value,
            self.problem,
        )

    def advance(self, seconds: float) -> bool:
        """Train for about `seconds`, at most to the next look; return whether something changed.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True.
        """
        until = self._run.seconds + seconds
        while self.state == "training" and self._run.seconds < until:
            moment = self._next()
            if moment is not None and (moment.over or moment.step in self._when):
                self._see(moment)
                return True
        if self.state != "training":
            self._judge()
            return True
        return False

    def close(self) -> None:
        """Give the run up; harmless where it has ended."""
        self._moments.close()

    def _next(self) -> TrainingStep | None:
        try:
            moment = next(self._moments, None)
        except TrainingError as error:
            self.state, self.problem = "diverged", str(error)
            return None
        if moment is None:
            early = self._run.step < self.settings.steps
            self.state = "stopped early" if early else "finished"
        else:
            self._losses.append(moment.loss)
        return moment

    def _see(self, moment: TrainingStep) -> None:
        found = self.look.figure(self._run.weights, self.cancelled)
        self.points.append(Point(moment.step, moment.seconds, fmean(self._losses), found))
        self._losses.clear()

    def _judge(self) -> None:
        """Measure the weights that count, to the last validation example."""
        weights = self._run.trained().weights
        split = self.model.task.split("validation")
        *_, whole = iter_scores(self.model, weights, split, cancelled=self.cancelled)
        self.value = whole.value
