"""What can be read of a session."""

from __future__ import annotations

from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.report import Report
from workbench.evaluation.training_progress import TrainingProgress
from workbench.recipe import Recipe, Train
from workbench.session.records import Goal, Visit
from workbench.session.state import State
from workbench.zoo.students import Student, find_student


class Readings:
    """The properties of a session that come from its state."""

    _state: State

    @property
    def store(self) -> ResultCache:
        """The cache of evaluation results."""
        return self._state.store

    @property
    def model(self) -> Model:
        """The selected model."""
        return self._state.model

    @property
    def student(self) -> Student | None:
        """The shipped student that is selected, or None."""
        return find_student(self.model.name)

    @property
    def recent_student(self) -> Student | None:
        """The selected student, else that of the nearest step of the history, or None."""
        history = self._state.history
        steps = (history.current, *reversed(history.past), *history.future)
        return next((known for step in steps if (known := find_student(step.model))), None)

    @property
    def origin(self) -> str:
        """The name of the model that the user chose; a student may take its place."""
        return self._state.selection.base

    @property
    def origin_model(self) -> Model:
        """The model that the user chose; sizes and accuracies are compared with it."""
        return self._state.origin_model

    @property
    def recipe(self) -> Recipe:
        """The selected recipe."""
        return self._state.recipe

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the tensors that can be pruned and quantized."""
        return self.model.layers

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier selection."""
        return bool(self._state.history.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to restore."""
        return bool(self._state.history.future)

    @property
    def goal(self) -> Goal:
        """The limits that are set for the chosen model."""
        return self._state.selection.goal

    @property
    def budget(self) -> int | None:
        """The largest file size wanted, in bytes."""
        return self.goal.budget

    @property
    def floor(self) -> float | None:
        """The worst value of the task's metric wanted."""
        return self.goal.floor

    @property
    def report(self) -> Report | None:
        """The newest report; of the baseline while a slow recipe is being compressed."""
        return self._state.report

    @property
    def file_report(self) -> Report | None:
        """The newest report of the current file; None until the file is created."""
        with self._state.lock:
            report, selection = self._state.report, self._state.selection
        if report is None or (report.model, report.recipe) != (selection.model, selection.recipe):
            return None
        return report

    @property
    def baseline(self) -> Report | None:
        """The exact report of the recipe's baseline, for comparison."""
        return self._state.baseline

    @property
    def calibration_progress(self) -> float | None:
        """The computed fraction of the calibration statistics, from 0 to 1, while under way."""
        return self._state.calibration_progress

    @property
    def training(self) -> TrainingProgress | None:
        """Progress of the current training run."""
        return self._state.training

    @property
    def training_budget(self) -> float | None:
        """The seconds whose number of training steps is being measured, else None."""
        return self._state.selection.seconds

    @property
    def interruption(self) -> str | None:
        """A sentence about a training run that the last change stopped."""
        return self._state.interruption

    @property
    def lost_training(self) -> Train | None:
        """The settings of a training that a later change of the recipe has left behind."""
        return self._state.history.lost_training

    @property
    def busy(self) -> bool:
        """Whether the worker is measuring the recipe."""
        return self._state.busy

    @property
    def postponed(self) -> bool:
        """Whether the original is not measured yet, see the parameter `postpone`."""
        return self._state.postponed

    @property
    def stale(self) -> bool:
        """Whether a cancel or an error left a report of another recipe."""
        return self._state.stale

    @property
    def settled(self) -> bool:
        """Whether the report is the exact one of the current recipe."""
        return self._state.settled

    @property
    def error(self) -> str | None:
        """Why measuring failed, in one sentence."""
        return self._state.error

    @property
    def note(self) -> str | None:
        """A sentence about an interrupted training run, a tour, or an unusable result cache."""
        return self._state.interruption or self._state.notice or self.store.note

    @property
    def visited(self) -> tuple[Visit, ...]:
        """The recipes measured on all examples, of the chosen model and of students of its task."""
        with self._state.lock:
            return self._state.visited

    @property
    def trail(self) -> tuple[Visit, ...]:
        """The results of the last gesture, exact or estimated, oldest first."""
        with self._state.lock:
            return self._state.gesture.trail

    @property
    def moving(self) -> bool:
        """Whether a control is being moved: views delay what takes long until `rest`."""
        return self._state.gesture.moving
