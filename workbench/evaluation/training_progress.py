"""The progress of one training run: its steps so far and the measured points of its course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

from workbench.domain.metric import Metric
from workbench.evaluation.report import Score
from workbench.recipe import Train

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep


@dataclass(frozen=True)
class TrainingProgress:
    """A training run so far.

    Attributes
    ----------
    settings : Train
        How the network is trained.
    budget : float or None
        The seconds whose number of steps is being measured; None once the number is known.
    step : int
        The last step.
    seconds, seconds_left : float
        The time of all steps so far, and the estimated time of the remaining ones.
    examples_per_second : float
        The throughput.
    elapsed : float or None
        Seconds from the request to the exact result, including all other work; None
        until then, and for a run that was interrupted or repeated.
    over : bool
        Whether that was the last step; early stopping can end a run before `settings.steps`.
    steps : tuple of (int, float, float)
        Step, loss of its batch, and fraction of zeros, for some of the steps.
    course : tuple of (int, Score)
        A step, and the score of the file that would result from ending there. The first is from
        before training; the last is exact once the result is measured.
    """

    settings: Train
    budget: float | None = None
    step: int = 0
    seconds: float = 0.0
    seconds_left: float = 0.0
    examples_per_second: float = 0.0
    elapsed: float | None = None
    over: bool = False
    steps: tuple[tuple[int, float, float], ...] = ()
    course: tuple[tuple[int, Score], ...] = ()

    def after(
        self,
        event: TrainingStep,
        points: Sequence[tuple[int, Score]] = (),
        seconds_left: float | None = None,
    ) -> TrainingProgress:
        """Return the progress after a step, with new points of the course.

        The remaining time is `seconds_left`, or that of the steps alone.
        """
        return replace(
            self,
            step=event.step,
            seconds=event.seconds,
            seconds_left=event.seconds_left if seconds_left is None else seconds_left,
            examples_per_second=event.examples_per_second,
            over=event.over,
            steps=(*self.steps, (event.step, event.loss, event.sparsity)),
            course=(*self.course, *points),
        )

    def measured(self, score: Score, elapsed: float | None = None) -> TrainingProgress:
        """Return the progress with the exact score of the result as the last point."""
        earlier = tuple(point for point in self.course if point[0] != self.step)
        return replace(self, course=(*earlier, (self.step, score)), elapsed=elapsed)

    @property
    def result(self) -> Score | None:
        """The exact score of the result; None until it is measured."""
        step, score = self.course[-1] if self.course else (0, None)
        return score if self.over and step == self.step and score and score.exact else None

    def is_worse(self, metric: Metric) -> bool:
        """Return whether the result is worse than the file before training.

        An estimate of that file has to be better with all of its interval.
        """
        if self.result is None or self.settings.start != "trained" or len(self.course) < 2:
            return False
        return metric.better(_worst(self.course[0][1], metric), self.result.value)

    def better_step(self, metric: Metric) -> tuple[int, Score] | None:
        """Return the best point of the course if its file was clearly better than the result.

        It is better by more than the interval of an estimate, or by more than the standard error of
        an exact share, because the best of many points is partly chance.
        """
        if self.result is None or len(self.course) < 3:
            return None
        step, score = max(self.course[1:-1], key=lambda point: metric.sort_key(point[1].value))
        bound = _worst(score, metric)
        if score.exact and metric.is_fraction:
            bound -= sqrt(max(0.0, bound * (1 - bound)) / score.examples)
        return (step, score) if metric.better(bound, self.result.value) else None

    @property
    def fraction(self) -> float:
        """The fraction of the steps that are done, from 0 to 1."""
        return 1.0 if self.over else self.step / max(1, self.settings.steps)


def _worst(score: Score, metric: Metric) -> float:
    return score.low if metric.higher_is_better else score.high


def aim(settings: Train) -> str:
    """Return what training does.

    It is ``fine_tune`` or ``distill``; from scratch it is ``train`` or, with a teacher,
    ``student``.
    """
    if settings.start == "trained":
        return "distill" if settings.teacher else "fine_tune"
    return "student" if settings.teacher else "train"
