"""The course of a training run in a notebook, drawn while it continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from workbench.domain import Model
from workbench.evaluation.training_progress import TrainingProgress
from workbench.panels.live import Live
from workbench.plots import course
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.training.types import TrainingStep


@contextmanager
def live_training(model: Model) -> Iterator[LiveTraining]:
    """Yield a display of the training of `model`; its last figure stays."""
    with Live() as live:
        yield LiveTraining(model, live)


class LiveTraining:
    """Draws one training run as a figure; its methods are those of `TrainingDisplay`."""

    def __init__(self, model: Model, live: Live) -> None:
        self._model = model
        self._live = live
        self._progress: TrainingProgress | None = None  # None until something is shown

    def begin(self, recipe: Recipe, seconds: float | None) -> None:
        """Show that the speed is measured, if there is a time budget."""
        assert recipe.train is not None
        if seconds is not None:
            self._show(TrainingProgress(recipe.train, budget=seconds))

    def watch(self, recipe: Recipe) -> Callable[[TrainingStep], None]:
        """Return the function to call after each step."""
        from workbench.evaluation.course import Course

        assert recipe.train is not None
        measured = Course(self._model, recipe)
        progress = TrainingProgress(recipe.train)

        def on_step(event: TrainingStep) -> None:
            nonlocal progress
            progress = progress.after(event, measured.add(event))
            self._show(progress)

        return on_step

    def finish(self, artifact: Artifact) -> None:
        """Show the exact result; nothing if nothing was shown before."""
        from workbench.evaluation.course import exact_score

        progress = self._progress
        if progress is None:
            return
        assert artifact.recipe.train is not None
        if not progress.over:  # the file was cached
            steps = artifact.recipe.train.steps
            progress = TrainingProgress(artifact.recipe.train, step=steps, over=True)
        self._show(progress.measured(exact_score(self._model, artifact)))

    def _show(self, progress: TrainingProgress) -> None:
        self._progress = progress
        metric = self._model.task.metric
        original = self._model.metric_value("validation")
        self._live.update(partial(course.draw, progress, metric=metric, original=original))
