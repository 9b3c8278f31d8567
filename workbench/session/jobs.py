"""What takes a moment and is done in the caller's thread; of some the newest call wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.recipe import Recipe, Train
from workbench.recipe.off import BY_LAYER, disabled_part
from workbench.session.analyses import Analyses, AnalysisKey, FileKey, file_key
from workbench.session.checks import check_budget, check_training
from workbench.session.present import SharedState
from workbench.session.records import TeacherQuery, Timing
from workbench.session.results import Results
from workbench.zoo import model

if TYPE_CHECKING:
    from workbench.analysis.sensitivity import Sensitivity
    from workbench.artifact.artifact import Artifact
    from workbench.experiments.temperatures import TemperatureSweep
    from workbench.training.types import TrainingStep as TrainingMoment

CancelCheck = Callable[[], bool]
"""Answers True once what is under way should end."""
ProgressCallback = Callable[[float], None]
"""Is told how far it is, from 0 to 1."""


def never_cancelled() -> bool:
    """Answer that nobody has cancelled."""
    return False


def ignore(_news: object) -> None:
    """Do nothing with what is told."""


class Jobs:
    """The longer jobs of one session, and what they found.

    `question` is what the teacher was asked last, `tried` the row of temperatures, `sensitivity`
    what each layer bears, and `held` the bytes that the file keeps while layers change.
    """

    def __init__(self, present: SharedState, results: Results) -> None:
        self.teacher_query: TeacherQuery | None = None
        self.sweep_result: TemperatureSweep | None = None
        self.sensitivity: Sensitivity | None = None
        self.held: int | None = None
        self._present = present
        self._results = results
        self._findings = Analyses()
        self._timings: dict[FileKey, Timing] = {}
        self._sweeps = _Calls()
        self._scans = _Calls()
        self._changes = _Calls()  # of single layers

    def forget(self) -> None:
        """Forget what belongs to a model, for another comes."""
        self.teacher_query = None
        self.sweep_result = None
        self.sensitivity = None
        self.held = None

    def artifact(self, cancelled: CancelCheck, watch: Callable[[TrainingMoment], None]) -> Artifact:
        """Make the file of the present recipe; training it once more is told to `watch`.

        Raises
        ------
        WorkbenchError
            When it was never trained.
        Cancelled
            When `cancelled()` answers True during training.
        """
        from workbench.pipeline import compress

        with self._present.lock:
            chosen, recipe = self._present.model, self._present.recipe
            self._refuse_untrained()
        return compress(chosen, recipe, on_step=watch, cancelled=cancelled)

    def measure_latency(self, cancelled: CancelCheck) -> None:
        """Time the original and the present file in turn."""
        from workbench.profiling.resources import compare_latency

        with self._present.lock:
            chosen, about = self._present.model, self._about()
        small = self.artifact(never_cancelled, ignore)
        file = chosen.with_spec(small.spec), small.operands()
        timed = compare_latency([(chosen, chosen.weights()), file], cancelled=cancelled)
        self._timings[about] = timed[0], timed[1]
        self._present.tell()

    def timing(self) -> Timing | None:
        """Return what `measure_latency` found about the present file, or None."""
        return self._timings.get(self._about())

    def query_teacher(self, teacher: str, temperature: float, example: int) -> None:
        """Look up what the teacher thinks of an example."""
        from workbench.training.teacher_predictions import teacher_predictions

        known = teacher_predictions(self._present.model, teacher)
        opinion = known[example % len(known)]
        self.teacher_query = TeacherQuery(teacher, temperature, example, opinion)
        self._present.tell()

    def found(self, kind: str, of: Any) -> Any:
        """Return what `analyze` found about the present file, or None."""
        return self._findings.get(self._about(), AnalysisKey(kind, of))

    def analyze(
        self, kind: str, of: Any, cancelled: CancelCheck, progress: ProgressCallback
    ) -> Any:
        """Find out something about the original and the present file, once.

        Raises
        ------
        WorkbenchError
            When there is no such example or layer, or the file was never trained.
        Cancelled
            When `cancelled()` answers True on the way, or the session is closed.
        """
        present = self._present
        with present.lock:
            chosen, recipe = present.model, present.recipe
            self._refuse_untrained()
        found = self._findings.find(
            chosen, recipe, AnalysisKey(kind, of), lambda: present.closed or cancelled(), progress
        )
        present.tell()
        return found

    def sweep(
        self, settings: Train, seconds: float, cancelled: CancelCheck, progress: ProgressCallback
    ) -> None:
        """Train the model at a row of temperatures, for `seconds` in all; the newest call wins.

        Raises
        ------
        WorkbenchError
            When there is no teacher, or no time.
        Cancelled
            When `cancelled()` answers True; what was found so far stays.
        """
        from workbench.experiments.temperatures import sweep

        present = self._present
        chosen = present.model
        check_training(chosen, Recipe(train=settings))
        with present.lock:
            self.sweep_result = None
            newer = self._sweeps.begin()

        def over() -> bool:
            return newer() or chosen is not present.model or present.closed or cancelled()

        for found in sweep(chosen, settings, seconds=seconds, cancelled=over):
            fresh = self.sweep_result is None or found.levels != self.sweep_result.levels
            self.sweep_result = found
            progress(found.share)
            if fresh:
                present.tell()

    def scan(self, part: str, cancelled: CancelCheck, progress: ProgressCallback) -> None:
        """Find out what each layer alone bears of the recipe's part called `part`; newest wins.

        Raises
        ------
        WorkbenchError
            When no part of that name knows layers.
        Cancelled
            When `cancelled()` answers True; what was found so far stays.
        """
        from workbench.analysis.sensitivity import iter_sensitivity

        if part not in BY_LAYER:
            raise WorkbenchError(_("There is no {name} by layer.").format(name=repr(part)))
        present = self._present
        with present.lock:
            chosen = present.model
            how = getattr(present.recipe, part) or disabled_part(part)
            newer = self._scans.begin()

        def over() -> bool:
            return newer() or chosen is not present.model or present.closed or cancelled()

        for found in iter_sensitivity(chosen, how, store=present.store, cancelled=over):
            with present.lock:
                if over():
                    return
                self.sensitivity = found
            progress(found.share)
            present.tell()

    def hold_size(self, size: int | None) -> None:
        """Keep the file at `size` bytes while layers change, or let it have any size again."""
        self.held = check_budget(size)
        self._present.tell()

    def rebalance(self, recipe: Recipe, layer: str) -> Recipe:
        """Return `recipe`, in which `layer` has changed, at the size that is held; newest wins.

        Raises
        ------
        WorkbenchError
            When the other layers cannot make up for the change.
        Cancelled
            When a newer call, or another choice, came meanwhile.
        """
        present = self._present
        with present.lock:
            chosen, asked, before = present.model, self.held, present.now
            newer = self._changes.begin()

        def over() -> bool:
            return newer() or before != present.now or present.closed

        if asked is not None:
            from workbench.study.fixed_size import hold_size

            recipe = hold_size(chosen, recipe, layer, asked, cancelled=over).recipe
        if over():
            raise Cancelled("Another change came.")
        return recipe

    def test_report(
        self, artifact: Artifact, cancelled: CancelCheck, progress: Callable[[Report], None]
    ) -> Report:
        """Measure a file that `artifact` made on the test split."""
        from workbench.evaluation.measure import iter_reports

        chosen = model(artifact.model)
        store = self._present.store
        for last in iter_reports(
            chosen, artifact.recipe, split="test", store=store, cancelled=cancelled
        ):
            progress(last)
        if last.size.digest != artifact.digest:  # a store made by another machine's arithmetic
            raise WorkbenchError(
                _("The file differs from the one measured: empty the store of results, and reload.")
            )
        return last

    def _about(self) -> FileKey:
        return file_key(self._present.model, self._present.recipe)

    def _refuse_untrained(self) -> None:
        if self._results.untrained(self._present.recipe):
            raise WorkbenchError(
                _("This file is not trained yet: let the training end, or undo to the last file.")
            )


class _Calls:
    """The calls of one job: a newer one ends those before it."""

    def __init__(self) -> None:
        self._count = 0

    def begin(self) -> Callable[[], bool]:
        """Begin a call under the session's lock; return what answers whether a newer has begun."""
        self._count += 1
        mine = self._count
        return lambda: mine != self._count
