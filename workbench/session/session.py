"""The session: everything one user can do. A worker thread measures the selected recipe.

It does not depend on widgets and does not import torch; the worker does, in the background.
"""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench import zoo
from workbench.cache.results import ResultCache, default_result_cache
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import UnknownNameError, WorkbenchError
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
from workbench.session.jobs import Jobs, ProgressCallback, ignore
from workbench.session.link import DEFAULT_MODEL, format_query, parse_query
from workbench.session.observers import Observers
from workbench.session.records import Selection
from workbench.session.results import Results
from workbench.session.shared_state import SharedState
from workbench.session.state import State
from workbench.session.worker import Worker

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.training.types import TrainingStep

UNTOUCHED = Recipe()


class Session(State):
    """The selection and results of one user, and the actions on them.

    Every selection method returns at once. A recipe with cached results has its report before
    `set` returns. A worker measures any other recipe and drops it when a newer one arrives.
    Observers are called after every change, from the thread that made it.

    Jobs run in the caller's thread and take a while. They call `cancelled` to know whether to
    end, and `on_progress` with the completed fraction.

    Raises
    ------
    WorkbenchError
        From selection methods, if the request is unknown or does not fit; the state is then
        unchanged. From jobs, if they cannot be carried out.
    Cancelled
        From jobs that were cancelled; the results so far stay.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        recipe: Recipe = UNTOUCHED,
        *,
        store: ResultCache | None = None,
    ) -> None:
        shared = SharedState(
            Selection(model, recipe),
            store or default_result_cache(),
            lambda: self._observers.notify(self),
        )
        results = Results()
        results.register_model(shared.model)
        super().__init__(shared, results, Jobs(shared, results))
        self._observers: Observers[Session] = Observers(shared.lock)
        self._worker = Worker(shared, results)
        _open_sessions.add(self)
        self._worker.request()

    # --- selection -----------------------------------------------------------------------

    def set(self, recipe: Recipe) -> None:
        """Select a recipe."""
        self._select(Selection(self._shared.selection.model, recipe))

    def choose_model(self, name: str) -> None:
        """Select a model; the recipe stays, without per-layer settings that do not fit."""
        recipe = self.recipe
        try:
            resolve_model(name, recipe)
        except WorkbenchError:
            recipe = without_layers(recipe)
        self.open(name, recipe)

    def open(self, name: str, recipe: Recipe) -> None:
        """Select a model and a recipe in one step."""
        model = resolve_model(name, recipe)
        check_training(model, recipe)
        if model.task.metric != self.model.task.metric:
            self.floor = None  # a limit on another metric
        self._select(Selection(name, recipe))

    def train(self, settings: Train, seconds: float) -> None:
        """Train the current recipe with `settings`, for as many steps as `seconds` allow.

        The number of steps is measured first and stored in the recipe, which then repeats the run.
        """
        recipe = replace(without_idle_factorization(self.recipe), train=settings)
        check_training(self.model, recipe)
        self._select(Selection(self._shared.selection.model, recipe, seconds))

    def preset(self, name: str) -> None:
        """Select a preset's recipe."""
        for preset in PRESETS:
            if preset.name == name:
                return self.set(preset.recipe)
        raise UnknownNameError(
            _("There is no preset {name}.").format(name=repr(name)), code="name.unknown_preset"
        )

    def reset(self) -> None:
        """Select the empty recipe for the current model."""
        self.set(Recipe())

    def undo(self) -> None:
        """Return to the selection before the last change, if there is one."""
        self._step(History.undo)

    def redo(self) -> None:
        """Return to the selection that was undone last, if there is one."""
        self._step(History.redo)

    def set_budget(self, size: int | None) -> None:
        """Set the largest file size wanted, in bytes; None removes the limit."""
        self.budget = check_budget(size)
        self._shared.notify()

    def set_floor(self, value: float | None) -> None:
        """Set the worst value of the task's metric wanted; None removes the limit."""
        self.floor = check_floor(value, self.model.task.metric)
        self._shared.notify()

    def hold_size(self, size: int | None) -> None:
        """Hold the file at `size` bytes while layers change; None removes the limit."""
        self._jobs.hold_size(size)

    def set_focus(self, **changes: Any) -> None:
        """Change fields of `focus`."""
        self.focus = replace(self.focus, **changes)
        self._shared.notify()

    def cancel(self) -> None:
        """Stop measuring; the last results stay, marked stale if they are of another recipe."""
        shared = self._shared
        with shared.lock:
            if not self.busy:
                return
            self._worker.discard()
            if shared.selection.seconds is not None:  # training has not begun: drop the request
                shared.history = shared.history.without_current()
            self._results.stop(shared.recipe)
        shared.notify()

    def measure_again(self) -> None:
        """Measure the current recipe again, after a cancel or an error."""
        self._worker.request()

    def warm_up(self) -> None:
        """Load in the background what measuring needs, so that the first change is fast."""
        with self._shared.lock:
            self._worker.start()

    def query(self) -> str:
        """Return the query string that opens this state."""
        return format_query(self._shared.selection, self.budget, self.floor)

    def restore(self, query: str) -> None:
        """Open the state of a query string.

        Raises
        ------
        WorkbenchError
            If the link is invalid; the session then shows the default state.
        """
        try:
            selection, budget, floor = parse_query(query)
        except WorkbenchError:
            self.budget = self.floor = None
            self._select(Selection(DEFAULT_MODEL, Recipe()))
            raise
        self.budget, self.floor = budget, floor
        self._shared.notify()
        self._select(selection)

    # --- jobs ----------------------------------------------------------------------------

    def artifact(
        self,
        cancel: CancelToken = NEVER,
        on_step: Callable[[TrainingStep], None] = ignore,
    ) -> Artifact:
        """Compress the model by the current recipe.

        A trained file that is no longer cached is trained again; `on_step` is called each step.
        """
        return self._jobs.artifact(cancel, on_step)

    def measure_latency(self, cancel: CancelToken = NEVER) -> None:
        """Time the original and the current file alternately; takes about a second."""
        self._jobs.measure_latency(cancel)

    def query_teacher(self, teacher: str, temperature: float, example: int = 0) -> None:
        """Look up a teacher's prediction of an example; the first call takes a while."""
        self._jobs.query_teacher(teacher, temperature, example)

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
        """
        return self._jobs.analyze(kind, target, cancel, on_progress)

    def sweep(
        self,
        settings: Train,
        seconds: float,
        cancel: CancelToken = NEVER,
        on_progress: ProgressCallback = ignore,
    ) -> None:
        """Train the model at several temperatures, for `seconds` in total; a newer call wins."""
        self._jobs.sweep(settings, seconds, cancel, on_progress)

    def scan(
        self,
        part: str,
        cancel: CancelToken = NEVER,
        on_progress: ProgressCallback = ignore,
    ) -> None:
        """Measure each layer's sensitivity to one part of the recipe; a newer call wins."""
        self._jobs.scan(part, cancel, on_progress)

    def change_layer(self, recipe: Recipe, layer: str) -> None:
        """Select a recipe in which `layer` has changed; a newer call wins.

        If the file's size is held, the other layers are adjusted, which takes a while.
        """
        self.set(self._jobs.rebalance(recipe, layer))

    def test_report(
        self,
        artifact: Artifact,
        cancel: CancelToken = NEVER,
        on_report: Callable[[Report], None] = ignore,
    ) -> Report:
        """Measure a file made by `artifact` on the test split; takes seconds."""
        return self._jobs.test_report(artifact, cancel, on_report)

    # --- observers and closing -----------------------------------------------------------

    def subscribe(self, observer: Callable[[Session], None]) -> Callable[[], None]:
        """Call `observer` after every change, until the returned function is called."""
        return self._observers.add(observer)

    def close(self) -> None:
        """Stop the worker and remove the observers."""
        with self._shared.lock:
            self._shared.closed = True
            self._observers.clear()
            self._worker.end()
        self._worker.join()

    # --- internals -----------------------------------------------------------------------

    def _select(self, selection: Selection) -> None:
        model = resolve_model(selection.model, selection.recipe)
        shared, results = self._shared, self._results
        with shared.lock:
            same = selection == shared.selection and model.identity == shared.model.identity
            if same and results.report is not None and not results.stale:
                return
            interruption = results.interruption_message(shared.selection)
            self._enter(shared.history.push(selection), model)
            results.interruption = interruption
        self._worker.request()

    def _step(self, step: Callable[[History], History]) -> None:
        with self._shared.lock:
            history = step(self._shared.history)
            if history is self._shared.history:
                return
            self._enter(history, zoo.model(history.current.model))
        self._worker.request()

    def _enter(self, history: History, model: Model) -> None:
        shared = self._shared
        self._results.register_model(model)
        if model.identity != shared.model.identity:
            self._results.report = None
            self._jobs.reset()
            self.focus = replace(self.focus, first=0, layer=None)
            if model.task != shared.model.task:
                self.focus = replace(self.focus, example=None)
        shared.enter(history, model)
        self._results.enter(history.current)


_open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Stop the workers before Python ends: a thread inside PyTorch would abort the process."""
    for session in list(_open_sessions):
        session.close()
