"""What there is to read of a session: what is chosen, what is known of it, what was found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.report import Report
from workbench.recipe import Recipe
from workbench.session.jobs import Jobs
from workbench.session.present import SharedState
from workbench.session.records import Focus, TeacherQuery, Timing, TrainingProgress, Visit
from workbench.session.results import Results

if TYPE_CHECKING:
    from workbench.analysis.sensitivity import Sensitivity
    from workbench.experiments.temperatures import TemperatureSweep


class State:
    """The half of a session that is read: nothing here changes it.

    `budget` and `floor` are the limits that the person wants, `focus` what is looked at.
    """

    def __init__(self, present: SharedState, results: Results, jobs: Jobs) -> None:
        self.budget: int | None = None
        self.floor: float | None = None
        self.focus = Focus()
        self._present = present
        self._results = results
        self._jobs = jobs

    @property
    def store(self) -> ResultCache:
        """Where what was measured is kept."""
        return self._present.store

    # --- what is chosen ------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The chosen model."""
        return self._present.model

    @property
    def recipe(self) -> Recipe:
        """The chosen recipe."""
        return self._present.recipe

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the tensors that can be pruned and quantised."""
        return self.model.layers

    @property
    def held(self) -> int | None:
        """The bytes that the file keeps while layers change, or None."""
        return self._jobs.held

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state to go back to."""
        return bool(self._present.history.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone state to return to."""
        return bool(self._present.history.future)

    # --- what is known -------------------------------------------------------------------

    @property
    def report(self) -> Report | None:
        """What is known of the recipe; while a slow one is made, of its plain version."""
        return self._results.report

    @property
    def plain(self) -> Report | None:
        """The exact report of the recipe's plain version, to compare with."""
        return self._results.plain

    @property
    def calibration_progress(self) -> float | None:
        """The share that is known, from 0 to 1, of what a recipe rests on, while it is found."""
        return self._results.calibration_progress

    @property
    def training(self) -> TrainingProgress | None:
        """The course of the present training."""
        return self._results.training

    @property
    def busy(self) -> bool:
        """Whether the worker is at the recipe."""
        return self._results.busy

    @property
    def stale(self) -> bool:
        """Whether the report is of another recipe after a cancel or an error, and nothing comes."""
        return self._results.stale

    @property
    def settled(self) -> bool:
        """Whether the report is that of the present recipe, and exact."""
        return self._results.settled(self.recipe)

    @property
    def error(self) -> str | None:
        """Why measuring failed, in a sentence."""
        return self._results.error

    @property
    def note(self) -> str | None:
        """A sentence about a training that the last change broke off, or a store out of use."""
        return self._results.interruption or self.store.note

    @property
    def visited(self) -> tuple[Visit, ...]:
        """The recipes measured exactly for this model, in the order of their first visit."""
        with self._present.lock:
            return self._results.visited(self._present.now.model)

    @property
    def timing(self) -> Timing | None:
        """How long the original and the current file take to run, once `time_it` has been asked."""
        return self._jobs.timing()

    @property
    def teacher_query(self) -> TeacherQuery | None:
        """What the teacher was asked last."""
        return self._jobs.teacher_query

    @property
    def sweep_result(self) -> TemperatureSweep | None:
        """What `sweep` has found so far."""
        return self._jobs.sweep_result

    @property
    def sensitivity(self) -> Sensitivity | None:
        """What `scan` has found so far."""
        return self._jobs.sensitivity

    def found(self, kind: str, of: Any = None) -> Any:
        """Return what `find_out` found about the present file, or None."""
        return self._jobs.found(kind, of)
