"""One training that is evaluated at intervals and may stop early."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Literal

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import TrainingError
from workbench.evaluation.scores import iter_scores
from workbench.experiments.quick_evaluation import QuickEvaluation
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.types import TrainingStep

State = Literal["training", "finished", "stopped early", "diverged"]


@dataclass(frozen=True)
class Point:
    """One check of a trial: the mean loss since the last check, and the estimated metric.

    `seconds` and `energy` are those of training only, without checks and other trials.
    """

    step: int
    seconds: float
    loss: float
    value: float
    energy: Energy = field(default_factory=Energy.unknown)


@dataclass(frozen=True)
class Trial:
    """One training in one repeat: its learning curve and final result.

    Attributes
    ----------
    params : Train
        The training settings.
    value : float or None
        The exact metric on validation, once training has ended.
    problem : str or None
        Why the training diverged.
    """

    name: str
    params: Train
    repeat: int
    points: tuple[Point, ...] = ()
    state: State = "training"
    value: float | None = None
    problem: str | None = None

    @property
    def energy(self) -> Energy | None:
        """The energy of training up to the last check; None before the first one."""
        return self.points[-1].energy if self.points else None


class RunningTrial:
    """Trains `model` as `trial` says, and evaluates it `checks` times on the way."""

    def __init__(
        self,
        model: Model,
        trial: Trial,
        evaluation: QuickEvaluation,
        *,
        checks: int,
        cancel: CancelToken,
    ) -> None:
        recipe = Recipe(train=trial.params)
        self.model = model
        self.evaluation = evaluation
        self.cancel = cancel
        self._initial = trial
        self.points: list[Point] = []
        self.state: State = "training"
        self.problem: str | None = None
        self.value: float | None = None
        self._run = Run(training_setup(model, recipe), recipe)
        self._steps = self._run.go(cancel=cancel)
        steps = trial.params.steps
        self._check_steps = {steps * (number + 1) // checks for number in range(checks)} - {0}
        self._losses: list[float] = []

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        return self._run.seconds

    @property
    def trial(self) -> Trial:
        """A snapshot as plain data."""
        return replace(
            self._initial,
            points=tuple(self.points),
            state=self.state,
            value=self.value,
            problem=self.problem,
        )

    def advance(self, seconds: float) -> bool:
        """Train for about `seconds`, at most to the next check. Return whether the trial changed.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled.
        """
        until = self._run.seconds + seconds
        while self.state == "training" and self._run.seconds < until:
            step = self._next()
            if self._run.seconds >= until:
                self._run.meter.sample()  # other trials run next
            if step is not None and (step.over or step.step in self._check_steps):
                self._check(step)
                return True
        if self.state != "training":
            self._evaluate()
            return True
        return False

    def close(self) -> None:
        """Abort the run. Does nothing if it has ended."""
        self._steps.close()

    def _next(self) -> TrainingStep | None:
        try:
            step = next(self._steps, None)
        except TrainingError as error:
            self.state, self.problem = "diverged", str(error)
            return None
        if step is None:
            early = self._run.step < self._initial.params.steps
            self.state = "stopped early" if early else "finished"
        else:
            self._losses.append(step.loss)
        return step

    def _check(self, step: TrainingStep) -> None:
        energy = self._run.energy
        value = self.evaluation.evaluate(self._run.weights, self.cancel)
        loss = fmean(self._losses)
        self.points.append(Point(step.step, step.seconds, loss, value, energy))
        self._losses.clear()

    def _evaluate(self) -> None:
        """Evaluate the final weights on all validation examples."""
        weights = self._run.trained().weights
        split = self.model.task.split("validation")
        *_, final = iter_scores(self.model, weights, split, cancel=self.cancel)
        self.value = final.value
