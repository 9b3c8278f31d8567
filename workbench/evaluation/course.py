"""The course of a training run: the metric of the file that would result, at several steps.

The values are of files, pruned and rounded as the final one. They are estimates from a fixed random
sample of the validation split, the same at every step. Measuring does not change the training.
"""

from __future__ import annotations

import time
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING

from workbench.cache.results import ResultCache, default_result_cache
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.cached_results import cached_report
from workbench.evaluation.report import Score
from workbench.evaluation.scores import iter_scores
from workbench.pipeline import TrainedNetwork, run_pipeline
from workbench.recipe import Recipe
from workbench.training.budget import COURSE_SHARE
from workbench.training.setup import starting_network

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.training.types import TrainingStep

CoursePoint = tuple[int, Score]
"""A step, and the score of the file that would result from ending there."""

SPLIT = "validation"
SEED = 0
"""The seed of the sample."""
ESTIMATES = 2
"""The sample is that of the second estimate: about a thousand images."""
MAX_POINTS = 40
"""The largest number of points in a run."""


def exact_score(model: Model, artifact: Artifact) -> Score:
    """Return the exact score of a file, as the last point of a course."""
    shaped = model.with_spec(artifact.spec)
    *_, score = iter_scores(shaped, artifact.operands(), model.task.split(SPLIT), seed=SEED)
    return score


class Course:
    """Measures the points of one training run of `model` under `recipe`.

    Measuring takes at most `COURSE_SHARE` of the time of the steps, apart from the first point.
    """

    def __init__(
        self,
        model: Model,
        recipe: Recipe,
        store: ResultCache | None = None,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._model = model
        self._recipe = recipe
        self._store = store or default_result_cache()
        self._cancel = cancel
        self._spent = 0.0  # seconds
        self._cost = 0.0  # seconds of the last point
        self._next: float | None = None  # the step of the next point

    def add(self, event: TrainingStep) -> tuple[CoursePoint, ...]:
        """Return the points that are due after a step: mostly none.

        The first point is that of step 0, before training. There is none for the last step, whose
        file is the result, to be measured exactly.
        """
        points: list[CoursePoint] = []
        if self._next is None:
            points += self._first()
            self._plan(event)
        elif event.step >= self._next and not event.over:
            if self._room(event) >= self._cost:
                points += self._measured(event)
            self._plan(event)
        return tuple(points)

    def _room(self, event: TrainingStep) -> float:
        """Return the seconds that may still be spent."""
        return COURSE_SHARE * (event.seconds + event.seconds_left) - self._spent

    def _plan(self, event: TrainingStep) -> None:
        """Spread the points that fit into the time over the remaining steps.

        If none fits, plan again soon: steps may turn out slower, which leaves more time.
        """
        points = self._room(event) / self._cost if self._cost else MAX_POINTS
        distance = event.steps / MAX_POINTS
        if points >= 1:
            distance = max(distance, (event.steps - event.step) / (points + 1))
        self._next = event.step + max(1, ceil(distance))

    def _first(self) -> list[CoursePoint]:
        assert self._recipe.train is not None
        if self._recipe.train.start == "trained":
            known = cached_report(self._model, self._recipe.untrained, SPLIT, self._store)
            if known is not None and known.score is not None:
                return [(0, known.score)]
        network = starting_network(self._model, self._recipe)
        before = TrainedNetwork(network, network.weights)
        return [(0, self._score(run_pipeline(self._model, self._recipe, before)))]

    def _measured(self, event: TrainingStep) -> list[CoursePoint]:
        assert event.file is not None
        begin = time.perf_counter()
        try:
            return [(event.step, self._score(event.file()))]
        except Cancelled:
            raise
        except WorkbenchError:  # no file can be made of these weights: training will report why
            return []
        finally:
            self._cost = time.perf_counter() - begin
            self._spent += self._cost

    def _score(self, artifact: Artifact) -> Score:
        shaped = self._model.with_spec(artifact.spec)
        split = self._model.task.split(SPLIT)
        scores = iter_scores(shaped, artifact.operands(), split, seed=SEED, cancel=self._cancel)
        *_, score = islice(scores, ESTIMATES)
        return score
