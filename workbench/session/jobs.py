"""Longer computations that run in the caller's thread; some are superseded by a newer call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workbench import zoo
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import ArtifactError, Cancelled, RecipeError, WorkbenchError
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.recipe import Recipe, Train
from workbench.recipe.off import BY_LAYER, disabled_part
from workbench.session.analyses import Analyses, AnalysisKey, FileKey, file_key
from workbench.session.calls import Calls
from workbench.session.checks import check_budget, check_training
from workbench.session.choosing import Choosing, Demand, recipes_before, search, visits_of
from workbench.session.parallel_run import ParallelRun, run_in_parallel
from workbench.session.records import Limits, TeacherQuery, Timing
from workbench.session.state import State
from workbench.session.sweep_progress import SweepProgress

if TYPE_CHECKING:
    from workbench.analysis.sensitivity import Sensitivity
    from workbench.artifact.artifact import Artifact
    from workbench.experiments.temperatures import TemperatureSweep
    from workbench.study.recommendation import Recommendation
    from workbench.training.types import TrainingStep

ProgressCallback = Callable[[float], None]
"""Called with the completed fraction, from 0 to 1."""


def ignore(_progress: object) -> None:
    """Do nothing: the default callback."""


class Jobs:
    """The longer computations of a session, and their results.

    Attributes
    ----------
    teacher_query : TeacherQuery or None
        The last query to a teacher.
    sweep_result : TemperatureSweep or None
        The results of `sweep` so far.
    sweep_progress : SweepProgress or None
        How far `sweep` is; None if it has not been called.
    sensitivity : Sensitivity or None
        The results of `scan` so far.
    target_size : int or None
        The file size in bytes to keep while the user changes layers.
    parallel : ParallelRun or None
        The last parallel training run.
    choosing : Choosing or None
        The search of `choose`, with its newest result; None if it has not been called.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._analyses = Analyses()
        self._timings: dict[FileKey, Timing] = {}
        self._sweeps, self._scans = Calls(), Calls()
        self._layer_changes = Calls()
        self._choices, self._parallel_runs = Calls(), Calls()
        self.parallel: ParallelRun | None = None  # of the chosen model, also with a student
        self._clear_jobs()

    def _clear_jobs(self) -> None:
        """Clear the results that belong to one model."""
        self.teacher_query: TeacherQuery | None = None
        self.sweep_result: TemperatureSweep | None = None
        self.sweep_progress: SweepProgress | None = None
        self.sensitivity: Sensitivity | None = None
        self.target_size: int | None = None
        self.choosing: Choosing | None = None

    def artifact(
        self, cancel: CancelToken = NEVER, on_step: Callable[[TrainingStep], None] = ignore
    ) -> Artifact:
        """Compress the model by the current recipe.

        A trained file that is no longer cached is trained again; `on_step` is called each step.

        Raises
        ------
        WorkbenchError
            If the recipe's training has not finished.
        """
        from workbench.training.compress import compress

        with self._state.lock:
            model, recipe = self._state.model, self._state.recipe
            self._check_trained()
        return compress(model, recipe, on_step=on_step, cancel=cancel)

    def measure_latency(self, cancel: CancelToken = NEVER) -> None:
        """Time the original and the current file alternately; takes about a second."""
        from workbench.profiling.resources import compare_latency
        from workbench.training.compress import compress

        with self._state.lock:
            self._check_trained()
            model, recipe = self._state.model, self._state.recipe
        artifact = compress(model, recipe, cancel=cancel)
        compressed = model.with_spec(artifact.spec), artifact.operands()
        timings = compare_latency([(model, model.weights()), compressed], cancel=cancel)
        self._timings[file_key(model, recipe)] = timings[0], timings[1]
        self._state.notify()

    @property
    def timing(self) -> Timing | None:
        """The latencies of the original and the current file, once `measure_latency` has run."""
        return self._timings.get(self._file_key())

    def query_teacher(self, teacher: str, temperature: float, example: int = 0) -> None:
        """Look up a teacher's prediction of an example; the first call takes a while."""
        from workbench.training.teacher_predictions import teacher_predictions

        model = self._state.model
        predictions = teacher_predictions(model, teacher)
        prediction = predictions[example % len(predictions)]
        with self._state.lock:
            if not model.is_same_as(self._state.model):
                return
            self.teacher_query = TeacherQuery(teacher, temperature, example, prediction)
        self._state.notify()

    def analysis(self, kind: str, target: Any = None) -> Any:
        """Return the result of `analyze` for the current file, or None."""
        return self._analyses.get(self._file_key(), AnalysisKey(kind, target))

    def analyze(
        self,
        kind: str,
        target: Any = None,
        cancel: CancelToken = NEVER,
        on_progress: ProgressCallback = ignore,
    ) -> Any:
        """Analyze the original and the current file, unless the result is cached.

        Parameters
        ----------
        kind
            "comparison" returns the `Comparison` on the validation split, "attribution" the
            `Attribution` of one example, "histogram" the `Histogram` of one layer, "generation" the
            `Generation` of a language model.
        target
            The example's number, the layer's name, or (prompt, seed, characters).
        cancel, on_progress
            Ends the work; called with the completed fraction, 0 to 1.

        Raises
        ------
        WorkbenchError
            If there is no such example or layer, or the recipe's training has not finished.
        """
        state = self._state
        with state.lock:
            model, recipe = state.model, state.recipe
            self._check_trained()

        def ended() -> bool:
            return state.closed or cancel.cancelled

        result = self._analyses.compute(
            model, recipe, AnalysisKey(kind, target), CancelToken(ended, on_progress)
        )
        state.notify()
        return result

    def sweep(
        self,
        settings: Train,
        seconds: float | None,
        cancel: CancelToken = NEVER,
        on_progress: ProgressCallback = ignore,
    ) -> None:
        """Train the model at several temperatures; a newer call wins.

        Parameters
        ----------
        settings, seconds
            Of each student; what all of them together take, or None for the steps of `settings`.
        cancel, on_progress
            As for `analyze`.

        Raises
        ------
        WorkbenchError
            If there is no teacher, or no time.
        """
        from workbench.experiments.temperatures import sweep

        state = self._state
        model = state.model
        check_training(model, Recipe(train=settings))
        with state.lock:
            self.sweep_result = None
            progress = self.sweep_progress = SweepProgress(seconds)
            token = self._token(model, self._sweeps.begin(), cancel)
        state.notify()
        try:
            for result in sweep(model, settings, seconds=seconds, cancel=token):
                with state.lock:
                    token.check()  # a newer call, or another model, has results of its own
                    progress = progress.after(result)
                    self.sweep_result, self.sweep_progress = result, progress
                on_progress(result.completed)
                state.notify()
        finally:
            if self.sweep_progress is progress:  # else a newer call has begun, or another model
                self.sweep_progress = progress.ended() if progress.students else None
                state.notify()

    def scan(
        self, part: str, cancel: CancelToken = NEVER, on_progress: ProgressCallback = ignore
    ) -> None:
        """Measure each layer's sensitivity to one part of the recipe; a newer call wins.

        Raises
        ------
        WorkbenchError
            If the part has no per-layer settings.
        """
        from workbench.analysis.sensitivity import iter_sensitivity

        if part not in BY_LAYER:
            raise RecipeError(
                _("The recipe has no per-layer settings for {name}.").format(name=repr(part)),
                code="recipe.no_layer_settings",
            )
        state = self._state
        with state.lock:
            model = state.model
            settings = getattr(state.recipe, part) or disabled_part(part)
            token = self._token(model, self._scans.begin(), cancel)
        for result in iter_sensitivity(model, settings, store=state.store, cancel=token):
            with state.lock:
                if token.cancelled:
                    return
                self.sensitivity = result
            on_progress(result.completed)
            state.notify()

    def choose(self, demand: Demand, cancel: CancelToken = NEVER) -> None:
        """Search for the best recipe within limits; a newer call replaces an older one.

        It begins with what this session has measured of the model.

        Raises
        ------
        WorkbenchError
            If a limit is not possible.
        """
        state = self._state
        with state.lock:
            model, superseded = state.model, self._choices.begin()
            known = recipes_before(state.visited, model.name, self.choosing, demand)

        def publish(choosing: Choosing) -> None:
            with state.lock:
                if superseded() or not model.is_same_as(state.model):
                    return
                self.choosing = choosing
            state.notify()

        search(model, demand, known, self._token(model, superseded, cancel), publish)

    def recommendation(self, limits: Limits) -> Recommendation | None:
        """Return the result of the search so far for some limits, with recipes measured since then.

        Parameters
        ----------
        limits
            On the bytes, the accuracy and the energy; those of the search or others.
        """
        state = self._state
        with state.lock:
            choosing, visits = self.choosing, visits_of(state.visited, state.model.name)
        if choosing is None:
            return None
        return choosing.under(limits, [visit.recipe for visit in visits], state.store)

    def train_in_parallel(
        self, settings: Mapping[str, Any], repeats: int = 1, cancel: CancelToken = NEVER
    ) -> None:
        """Train the model on several processes, by the fields of a `Plan`; a newer call wins.

        Raises
        ------
        InputError
            If a setting is not allowed. Other errors are part of the run.
        """
        state = self._state
        with state.lock:
            model, superseded = state.origin_model, self._parallel_runs.begin()

        def replaced() -> bool:
            return not model.is_same_as(state.origin_model)

        def ended() -> bool:
            return superseded() or replaced() or state.closed or cancel.cancelled

        def publish(run: ParallelRun) -> None:
            with state.lock:
                if superseded() or replaced():
                    return
                self.parallel = run
            state.notify()

        run_in_parallel(model, settings, repeats, CancelToken(ended), publish, state.store)

    def hold_size(self, size: int | None) -> None:
        """Hold the file at `size` bytes while layers change; None removes the limit."""
        self.target_size = check_budget(size)
        self._state.notify()

    def _rebalance(self, recipe: Recipe, layer: str) -> Recipe:
        """Return `recipe`, in which `layer` has changed, at the target size; a newer call wins.

        Raises
        ------
        WorkbenchError
            If the other layers cannot compensate for the change.
        Cancelled
            If a newer call, or another selection, came meanwhile.
        """
        state = self._state
        with state.lock:
            model, size, before = state.model, self.target_size, state.selection
            superseded = self._layer_changes.begin()

        def ended() -> bool:
            return superseded() or before != state.selection or state.closed

        if size is not None:
            from workbench.study.fixed_size import hold_size

            recipe = hold_size(model, recipe, layer, size, cancel=CancelToken(ended)).recipe
        if ended():
            raise Cancelled("A newer change replaced this one.", code="session.superseded")
        return recipe

    def test_report(
        self,
        artifact: Artifact,
        cancel: CancelToken = NEVER,
        on_report: Callable[[Report], None] = ignore,
    ) -> Report:
        """Measure a file made by `artifact` on the test split; takes seconds.

        Raises
        ------
        ArtifactError
            If the file differs from the one that is measured.
        """
        from workbench.evaluation.measure import iter_reports

        model, store = zoo.model(artifact.model), self._state.store
        for report in iter_reports(
            model, artifact.recipe, split="test", store=store, cancel=cancel
        ):
            on_report(report)
        if report.size.digest != artifact.digest:  # e.g. results cached by another kind of machine
            raise ArtifactError(
                _(
                    "The file differs from the one that was measured: clear the result cache and "
                    "reload the page."
                ),
                code="session.file_differs",
            )
        return report

    def _token(
        self, model: Model, superseded: Callable[[], bool], cancel: CancelToken
    ) -> CancelToken:
        """Return a token that is cancelled once a job of `model` has become useless."""
        state = self._state

        def ended() -> bool:
            replaced = not model.is_same_as(state.model)
            return superseded() or replaced or state.closed or cancel.cancelled

        return CancelToken(ended)

    def _file_key(self) -> FileKey:
        return file_key(self._state.model, self._state.recipe)

    def _check_trained(self) -> None:
        if self._state.untrained:
            raise WorkbenchError(
                _("This file is not trained yet: let the training finish, or undo the change."),
                code="session.not_trained",
            )
