"""The state of one session: the selections, the results of the worker, and the observers."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench import formatting, zoo
from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.report import Report, Score
from workbench.evaluation.training_progress import TrainingProgress
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.session.checks import resolve_model
from workbench.session.gesture import Gesture
from workbench.session.records import Goal, History, Selection, Visit

if TYPE_CHECKING:
    from workbench.evaluation.course import CoursePoint
    from workbench.training.types import TrainingStep

UNTOUCHED = Recipe()

log = logging.getLogger(__name__)


class State:
    """What the session's methods, its jobs and the worker share; they run in different threads.

    Hold `lock`, which is reentrant, to read or change values that must be consistent, and to call
    the methods that change results. Call `notify` without it.

    Attributes
    ----------
    history : History
        The current selection, earlier and undone ones.
    gesture : Gesture
        The newest gesture, whose values are one step of the history.
    model, origin_model : Model
        The model of the current selection, and the one that the user chose, already resolved. They
        differ while a student takes its place.
    store : ResultCache
        The cache of evaluation results.
    closed : bool
        Whether the session is closed.
    report : Report or None
        The newest report of the current recipe.
    baseline : Report or None
        The exact report of the recipe's baseline.
    calibration_progress : float or None
        The fraction of the calibration statistics that are computed, while it is under way.
    training : TrainingProgress or None
        Progress of the current recipe's training.
    interruption : str or None
        A sentence about a training run that the last change stopped.
    notice : str or None
        A sentence about what the last step has restored.
    error : str or None
        Why measuring failed.
    busy : bool
        Whether more results will come.
    postponed : bool
        Whether the original is not measured, because nothing needs more than its model card yet.
    stale : bool
        Whether the report belongs to an earlier recipe and no newer one will come.
    requested : float
        When the newest results were requested, on the clock of `time.monotonic`.

    Raises
    ------
    WorkbenchError
        If there is no such model, or the recipe does not fit it.
    """

    def __init__(self, start: Selection, store: ResultCache) -> None:
        self.model = resolve_model(start.model, start.recipe)
        start = replace(start, recipe=start.recipe.expanded(self.model.layers))
        self.history = History(start)
        self.gesture = Gesture()
        self.origin_model = self._origin(start, self.model)
        self.store = store
        self.lock = threading.RLock()
        self.closed = False
        self.report: Report | None = None
        self.baseline: Report | None = None
        self.calibration_progress: float | None = None
        self.training: TrainingProgress | None = None
        self.error: str | None = None
        self.interruption: str | None = None
        self.notice: str | None = None
        self.busy = False
        self.postponed = False
        self.stale = False
        self.requested = time.monotonic()
        self._resumed = False  # the current training continues an interrupted one
        self._first_step = (0, 0.0)  # the first step of the current training here, and its time
        self._observers: list[Callable[[], None]] = []
        self._models = {known.name: known for known in (self.model, self.origin_model)}
        self._trainings: dict[Selection, TrainingProgress] = {}
        self._visits: dict[str, OrderedDict[tuple[str, Recipe], Visit]] = {}
        self._identities = {self.model.name: self.model.identity}

    @property
    def selection(self) -> Selection:
        """The current selection."""
        return self.history.current

    @property
    def recipe(self) -> Recipe:
        """The current recipe."""
        return self.history.current.recipe

    @property
    def visited(self) -> tuple[Visit, ...]:
        """The recipes with exact results for the chosen model and its students, first one first."""
        return tuple(self._visits.get(self.selection.base, {}).values())

    @property
    def settled(self) -> bool:
        """Whether the report is the exact and final one of the current recipe."""
        return self._measured and not self.busy and not self.stale

    @property
    def _measured(self) -> bool:
        report = self.report
        return report is not None and report.recipe == self.recipe and report.exact

    @property
    def untrained(self) -> bool:
        """Whether the current recipe trains and its training has not finished."""
        measured = self.report is not None and self.report.recipe == self.recipe
        return self.recipe.train is not None and not measured

    @property
    def interruption_message(self) -> str | None:
        """A sentence if leaving the current selection interrupts its training, else None."""
        training = self.training
        if self.busy and self.selection.seconds is not None:
            return _("Training was stopped before its first step: undo to restart it.")
        if not self.busy or training is None or training.over:
            return None
        return _("Training stopped at step {step} of {steps}: undo to resume it.").format(
            step=formatting.count(training.step), steps=formatting.count(training.settings.steps)
        )

    # --- changes -------------------------------------------------------------------------

    def enter(self, history: History, model: Model) -> None:
        """Make `history` and the `model` of its current selection the active ones.

        References to the models of the whole history are kept, so that undo finds them. Results of
        another model of that name are dropped, and the last error is cleared.
        """
        before = self._identities.get(model.name, model.identity)
        self._identities[model.name] = model.identity
        if before != model.identity:
            self._visits.pop(model.name, None)
            trainings = self._trainings.items()
            self._trainings = {s: progress for s, progress in trainings if s.model != model.name}
        if model.identity != self.model.identity:
            self.report = None
        self.history, self.model = history, model
        self.origin_model = self._origin(history.current, model)
        selections = (*history.past, history.current, *history.future)
        names = {name for s in selections for name in (s.model, s.base)}
        models = {name: known for name, known in self._models.items() if name in names}
        self._models = models | {known.name: known for known in (self.origin_model, model)}
        self.training = self._trainings.get(history.current)
        self.error = self.interruption = self.notice = None

    def goal_for(self, selection: Selection, model: Model) -> Goal:
        """Return the goal of `selection` of a `model`: the current one, or none for other data."""
        current = self.selection
        same_name = selection.base == current.base
        same = same_name and self._origin(selection, model).identity == self.origin_model.identity
        return current.goal if same else Goal()

    def forget(self, name: str) -> None:
        """Drop the results of the model `name`, which is not in the history any more."""
        self._visits.pop(name, None)
        self._identities.pop(name, None)
        trainings = self._trainings.items()
        self._trainings = {s: progress for s, progress in trainings if s.model != name}

    @staticmethod
    def _origin(selection: Selection, model: Model) -> Model:
        """Return the model that the user chose; `model` is that of the selection."""
        return model if selection.base == model.name else zoo.model(selection.base)

    def add_report(self, report: Report) -> None:
        """Show `report`, and record a visit if it is exact and of the recipe itself.

        Estimates of a model that is not compressed are dropped: its card has the exact value.
        """
        if report.recipe == UNTOUCHED and not report.exact:
            self.report = None
            return
        self.report = report
        self.gesture.add(report)
        if report.score is not None and report.exact and report.preview_of is None:
            visits = self._visits.setdefault(self.selection.base, OrderedDict())
            visits[report.model, report.recipe] = Visit(
                report.recipe, report.size.bytes, report.score.value, report.model
            )
            if self.training is not None and self.training.over and report.recipe == self.recipe:
                self._finish_training(report.score)

    def add_step(self, step: TrainingStep, points: Sequence[CoursePoint] = ()) -> None:
        """Append a step, and points of the course, to the training progress.

        The progress of a finished run is stored.
        """
        if self.training is None:
            assert self.recipe.train is not None
            self.training = TrainingProgress(self.recipe.train)
            self._resumed = step.step > 1
            self._first_step = (step.step, time.monotonic())
        self.training = self.training.after(step, points, self._seconds_left(step))
        if step.over:
            self._trainings[self.selection] = self.training

    def _seconds_left(self, step: TrainingStep) -> float | None:
        """Return the time of the remaining steps at the rate so far, with all work between them."""
        first, started = self._first_step
        steps = step.step - first
        if not steps:
            return None
        return (time.monotonic() - started) / steps * (step.steps - step.step)

    def _finish_training(self, score: Score) -> None:
        """Add the exact score of the trained file to the training progress, once."""
        assert self.training is not None
        if self.training.result is None:
            elapsed = None if self._resumed else time.monotonic() - self.requested
            self.training = self.training.measured(score, elapsed)
            self._trainings[self.selection] = self.training

    def stop(self) -> None:
        """Keep the last results; they are stale unless they are the exact ones of the recipe."""
        self.busy = False
        self.stale = self.report is not None and not self._measured

    def fail(self, message: str) -> None:
        """Set the error; the last results stay and are stale."""
        self.busy = False
        self.error = message
        self.stale = self.report is not None

    # --- observers -----------------------------------------------------------------------

    def subscribe(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Call `observer` after every change, until the returned function is called."""
        with self.lock:
            self._observers.append(observer)

        def stop() -> None:
            with self.lock, suppress(ValueError):
                self._observers.remove(observer)

        return stop

    def notify(self) -> None:
        """Call all observers from this thread."""
        with self.lock:
            observers = list(self._observers)
        for observer in observers:
            try:
                observer()
            except Exception:  # a failing observer must stop neither the others nor the worker
                log.exception("an observer failed")

    def close(self) -> None:
        """Mark the session as closed and remove all observers."""
        self.closed = True
        self._observers.clear()
