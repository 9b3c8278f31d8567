"""The session: what one person can do; the worker behind it measures what was chosen.

Knows nothing of widgets and loads no torch of its own: the worker does, in the background.
"""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.cache.results import ResultCache, default_result_cache
from workbench.domain import Model
from workbench.errors import WorkbenchError
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.recipe import Recipe, Train
from workbench.recipe.off import without_idle_factorization
from workbench.recipe.presets import PRESETS
from workbench.session.checks import (
    check_budget,
    check_floor,
    check_training,
    resolve_model,
    without_layers,
)
from workbench.session.history import History
from workbench.session.jobs import CancelCheck, Jobs, ProgressCallback, ignore, never_cancelled
from workbench.session.link import DEFAULT_MODEL, format_query, parse_query
from workbench.session.observers import Observers
from workbench.session.present import SharedState
from workbench.session.records import Selection
from workbench.session.results import Results
from workbench.session.state import State
from workbench.session.worker import Worker
from workbench.zoo import model

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.training.types import TrainingStep as TrainingMoment

UNTOUCHED = Recipe()


class Session(State):
    """What one person has chosen and seen, and what can be done with it.

    Every verb returns at once. A recipe measured before is answered before `set` returns; any
    other is measured by a worker that drops it as soon as a newer one arrives. Observers are
    told after every change, from the thread that made it.

    Jobs are done in the caller's thread and take a moment; `cancelled` is asked on the way whether
    to end, and `progress` hears how far they are.

    Raises
    ------
    WorkbenchError
        From the verbs, when what is asked for does not exist or does not fit; the state is then
        as it was. From the jobs, when they cannot be done.
    Cancelled
        From the jobs, when they were ended; what was found so far stays.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        recipe: Recipe = UNTOUCHED,
        *,
        store: ResultCache | None = None,
    ) -> None:
        present = SharedState(
            Selection(model, recipe),
            store or default_result_cache(),
            lambda: self._observers.tell(self),
        )
        results = Results()
        results.register_model(present.model)
        super().__init__(present, results, Jobs(present, results))
        self._observers: Observers[Session] = Observers(present.lock)
        self._worker = Worker(present, results)
        _open_sessions.add(self)
        self._worker.request()

    # --- verbs ---------------------------------------------------------------------------

    def set(self, recipe: Recipe) -> None:
        """Choose a recipe."""
        self._go(Selection(self._present.now.model, recipe))

    def choose_model(self, name: str) -> None:
        """Choose a model; the recipe stays, without what names layers the new model lacks."""
        recipe = self.recipe
        try:
            resolve_model(name, recipe)
        except WorkbenchError:
            recipe = without_layers(recipe)
        self.open(name, recipe)

    def open(self, name: str, recipe: Recipe) -> None:
        """Choose a model and a recipe for it, in one step."""
        found = resolve_model(name, recipe)
        check_training(found, recipe)
        if found.task.metric != self.model.task.metric:
            self.floor = None  # a limit of another kind
        self._go(Selection(name, recipe))

    def train(self, settings: Train, seconds: float) -> None:
        """Train the current recipe as `settings` say, as many steps as `seconds` allow.

        How many those are is measured first; the recipe then holds them, and repeats the run.
        """
        recipe = replace(without_idle_factorization(self.recipe), train=settings)
        check_training(self.model, recipe)
        self._go(Selection(self._present.now.model, recipe, seconds))

    def preset(self, name: str) -> None:
        """Choose a preset's recipe."""
        for preset in PRESETS:
            if preset.name == name:
                return self.set(preset.recipe)
        raise WorkbenchError(_("There is no preset {name}.").format(name=repr(name)))

    def reset(self) -> None:
        """Go back to the model as it was, keeping it chosen."""
        self.set(Recipe())

    def undo(self) -> None:
        """Return to the state before the last change, if there is one."""
        self._step(History.back)

    def redo(self) -> None:
        """Return to the state that was undone last, if there is one."""
        self._step(History.forward)

    def set_budget(self, size: int | None) -> None:
        """Set the most bytes a file should have, or lift the limit."""
        self.budget = check_budget(size)
        self._present.tell()

    def set_floor(self, value: float | None) -> None:
        """Set the worst figure of the task's metric that is wanted, or lift the limit."""
        self.floor = check_floor(value, self.model.task.metric)
        self._present.tell()

    def hold_size(self, size: int | None) -> None:
        """Keep the file at `size` bytes while layers change, or let it have any size again."""
        self._jobs.hold_size(size)

    def set_focus(self, **changes: Any) -> None:
        """Change fields of `focus`."""
        self.focus = replace(self.focus, **changes)
        self._present.tell()

    def cancel(self) -> None:
        """Stop measuring; the last figures stay, marked stale where they are of another recipe."""
        present = self._present
        with present.lock:
            if not self.busy:
                return
            self._worker.discard()
            if present.now.seconds is not None:  # nothing has begun: as if not asked
                present.history = present.history.without_current()
            self._results.stop(present.recipe)
        present.tell()

    def measure_again(self) -> None:
        """Measure the current recipe again, after a cancel or an error."""
        self._worker.request()

    def warm_up(self) -> None:
        """Load in the background what measuring will need, so that the first slide is quick."""
        with self._present.lock:
            self._worker.start()

    def query(self) -> str:
        """Return the query string that opens this state."""
        return format_query(self._present.now, self.budget, self.floor)

    def restore(self, query: str) -> None:
        """Open the state of a query string.

        Raises
        ------
        WorkbenchError
            When the link is bad; the session then shows the default state.
        """
        try:
            moment, budget, floor = parse_query(query)
        except WorkbenchError:
            self.budget = self.floor = None
            self._go(Selection(DEFAULT_MODEL, Recipe()))
            raise
        self.budget, self.floor = budget, floor
        self._present.tell()
        self._go(moment)

    # --- jobs ----------------------------------------------------------------------------

    def artifact(
        self,
        cancelled: CancelCheck = never_cancelled,
        watch: Callable[[TrainingMoment], None] = ignore,
    ) -> Artifact:
        """Make the file of the current recipe, which takes a moment.

        A trained file that is no longer kept is trained once more, of which `watch` is told.
        """
        return self._jobs.artifact(cancelled, watch)

    def measure_latency(self, cancelled: CancelCheck = never_cancelled) -> None:
        """Time the original and the current file in turn; takes about a second."""
        self._jobs.measure_latency(cancelled)

    def query_teacher(self, teacher: str, temperature: float, example: int = 0) -> None:
        """Look up what the teacher thinks of an example; takes a moment the first time."""
        self._jobs.query_teacher(teacher, temperature, example)

    def analyze(
        self,
        kind: str,
        of: Any = None,
        cancelled: CancelCheck = never_cancelled,
        progress: ProgressCallback = ignore,
    ) -> Any:
        """Find out something about the original and the present file; takes a moment, once.

        `kind` is "changes" (the `Changes` of the validation split), "attribution" (the
        `Attribution` of the example `of`) or "histogram" (the `Histogram` of the layer `of`).
        """
        return self._jobs.analyze(kind, of, cancelled, progress)

    def sweep(
        self,
        settings: Train,
        seconds: float,
        cancelled: CancelCheck = never_cancelled,
        progress: ProgressCallback = ignore,
    ) -> None:
        """Train the model at a row of temperatures, for `seconds` in all; the newest call wins."""
        self._jobs.sweep(settings, seconds, cancelled, progress)

    def scan(
        self,
        part: str,
        cancelled: CancelCheck = never_cancelled,
        progress: ProgressCallback = ignore,
    ) -> None:
        """Find out what each layer alone bears of the recipe's part called `part`; newest wins."""
        self._jobs.scan(part, cancelled, progress)

    def change_layer(self, recipe: Recipe, layer: str) -> None:
        """Choose a recipe in which `layer` has changed; the newest call wins.

        Where the file's size is held, the other layers share what is left, which takes a moment.
        """
        self.set(self._jobs.rebalance(recipe, layer))

    def test_report(
        self,
        artifact: Artifact,
        cancelled: CancelCheck = never_cancelled,
        progress: Callable[[Report], None] = ignore,
    ) -> Report:
        """Measure a file that `artifact` made on the test split; takes seconds."""
        return self._jobs.test_report(artifact, cancelled, progress)

    # --- observers and the end -----------------------------------------------------------

    def subscribe(self, observer: Callable[[Session], None]) -> Callable[[], None]:
        """Call `observer` after every change, until the returned function is called."""
        return self._observers.add(observer)

    def close(self) -> None:
        """Stop the worker and forget the observers."""
        with self._present.lock:
            self._present.closed = True
            self._observers.clear()
            self._worker.end()
        self._worker.join()

    # --- inside --------------------------------------------------------------------------

    def _go(self, moment: Selection) -> None:
        chosen = resolve_model(moment.model, moment.recipe)
        present, results = self._present, self._results
        with present.lock:
            same = moment == present.now and chosen.identity == present.model.identity
            if same and results.report is not None and not results.stale:
                return
            broken_off = results.interruption_message(present.now)
            self._enter(present.history.go(moment), chosen)
            results.interruption = broken_off
        self._worker.request()

    def _step(self, step: Callable[[History], History]) -> None:
        with self._present.lock:
            history = step(self._present.history)
            if history is self._present.history:
                return
            self._enter(history, model(history.now.model))
        self._worker.request()

    def _enter(self, history: History, chosen: Model) -> None:
        present = self._present
        self._results.register_model(chosen)
        if chosen.identity != present.model.identity:
            self._results.report = None
            self._jobs.forget()
            self.focus = replace(self.focus, first=0, layer=None)
            if chosen.task != present.model.task:
                self.focus = replace(self.focus, example=None)
        present.enter(history, chosen)
        self._results.enter(history.now)


_open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """End the workers in time: one that is inside PyTorch while Python ends aborts the process."""
    for session in list(_open_sessions):
        session.close()
