"""The readable half of a session: selection, results and analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.report import Report
from workbench.recipe import Recipe
from workbench.session.jobs import Jobs
from workbench.session.records import Focus, TeacherQuery, Timing, TrainingProgress, Visit
from workbench.session.results import Results
from workbench.session.shared_state import SharedState

if TYPE_CHECKING:
    from workbench.analysis.sensitivity import Sensitivity
    from workbench.experiments.temperatures import TemperatureSweep


class State:
    """Read-only properties of a session.

    Attributes
    ----------
    budget : int or None
        The largest file size wanted, in bytes.
    floor : float or None
        The worst value of the task's metric wanted.
    focus : Focus
        What the views show.
    """

    def __init__(self, shared: SharedState, results: Results, jobs: Jobs) -> None:
        self.budget: int | None = None
        self.floor: float | None = None
        self.focus = Focus()
        self._shared = shared
        self._results = results
        self._jobs = jobs

    @property
    def store(self) -> ResultCache:
        """The cache of evaluation results."""
        return self._shared.store

    # --- selection -----------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The selected model."""
        return self._shared.model

    @property
    def recipe(self) -> Recipe:
        """The selected recipe."""
        return self._shared.recipe

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the tensors that can be pruned and quantized."""
        return self.model.layers

    @property
    def target_size(self) -> int | None:
        """The file size in bytes to keep while the user changes layers, or None."""
        return self._jobs.target_size

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier selection."""
        return bool(self._shared.history.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to restore."""
        return bool(self._shared.history.future)

    # --- results -------------------------------------------------------------------------

    @property
    def report(self) -> Report | None:
        """The newest report; of the baseline while a slow recipe is being compressed."""
        return self._results.report

    @property
    def baseline(self) -> Report | None:
        """The exact report of the recipe's baseline, for comparison."""
        return self._results.baseline

    @property
    def calibration_progress(self) -> float | None:
        """The computed fraction of the calibration statistics, from 0 to 1, while under way."""
        return self._results.calibration_progress

    @property
    def training(self) -> TrainingProgress | None:
        """Progress of the current training run."""
        return self._results.training

    @property
    def busy(self) -> bool:
        """Whether the worker is measuring the recipe."""
        return self._results.busy

    @property
    def stale(self) -> bool:
        """Whether a cancel or an error left a report of another recipe."""
        return self._results.stale

    @property
    def settled(self) -> bool:
        """Whether the report is the exact one of the current recipe."""
        return self._results.settled(self.recipe)

    @property
    def error(self) -> str | None:
        """Why measuring failed, in one sentence."""
        return self._results.error

    @property
    def note(self) -> str | None:
        """A sentence about an interrupted training run or an unusable result cache."""
        return self._results.interruption or self.store.note

    @property
    def visited(self) -> tuple[Visit, ...]:
        """The recipes of this model measured on all examples, in the order of the first visit."""
        with self._shared.lock:
            return self._results.visited(self._shared.selection.model)

    # --- analyses ------------------------------------------------------------------------

    @property
    def timing(self) -> Timing | None:
        """The latencies of the original and the current file, once `measure_latency` has run."""
        return self._jobs.timing()

    @property
    def teacher_query(self) -> TeacherQuery | None:
        """The last query to a teacher."""
        return self._jobs.teacher_query

    @property
    def sweep_result(self) -> TemperatureSweep | None:
        """The results of `sweep` so far."""
        return self._jobs.sweep_result

    @property
    def sensitivity(self) -> Sensitivity | None:
        """The results of `scan` so far."""
        return self._jobs.sensitivity

    def analysis(self, kind: str, target: Any = None) -> Any:
        """Return the result of `analyze` for the current file, or None."""
        return self._jobs.analysis(kind, target)
