"""The session: what one person has chosen and seen, and the worker behind it.

Knows nothing of widgets and loads no torch of its own: the worker does, in the background.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench import figures
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.known import known
from workbench.evaluation.report import Report
from workbench.evaluation.store import Store, default_store
from workbench.recipe import Quantize, Recipe, Train
from workbench.recipe.link import from_query, to_query
from workbench.recipe.off import BY_LAYER, switched_off, without_idle_factors
from workbench.recipe.presets import PRESETS
from workbench.session.checks import (
    allowed_budget,
    allowed_floor,
    check_training,
    fitting,
    number,
    without_layers,
)
from workbench.session.findings import Findings, Wanted
from workbench.session.records import Chosen, Focus, Progress, Question, Timing, Visit
from workbench.text import _
from workbench.zoo import Model, model

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.training.records import Moment as TrainingMoment
    from workbench.trials.scanning import Sensitivity
    from workbench.trials.temperatures import Tried

DEFAULT_MODEL = "fashion/lenet5"
UNTOUCHED = Recipe()
REHEARSAL = Recipe(quantize=Quantize(bits=8))
LONGEST_HISTORY = 500
BETWEEN_TELLS = 0.15  # seconds
EXTRA_KEYS = frozenset({"budget", "floor"})

log = logging.getLogger(__name__)


class Session:
    """What one person has chosen and seen.

    `report` is what is known of the current recipe; while a slow one is being made, that of its
    plain version, which says so. `plain` is the exact report of that version, to compare with, and
    `calibrated` the share that is known, from 0 to 1, of what a recipe rests on, while it is found.

    Every verb returns at once. A recipe measured before is answered before `set` returns; any
    other is measured by a worker that drops it as soon as a newer one arrives. Observers are
    told after every change, from the thread that made it.

    Raises
    ------
    WorkbenchError
        From the verbs, when what is asked for does not exist or does not fit; the state is then
        as it was.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        recipe: Recipe = UNTOUCHED,
        *,
        store: Store | None = None,
    ) -> None:
        self.store = store or default_store()
        self.budget: int | None = None
        self.floor: float | None = None
        self.error: str | None = None
        self.busy = False
        self.stale = False
        self.report: Report | None = None
        self.plain: Report | None = None
        self.calibrated: float | None = None
        self._observers: list[Callable[[Session], None]] = []
        self.training: Progress | None = None
        self.question: Question | None = None
        self.tried: Tried | None = None
        self.focus = Focus()
        self._findings = Findings()
        self.sensitivity: Sensitivity | None = None
        self.held: int | None = None  # bytes that the file keeps while layers change
        self._courses: dict[Chosen, Progress] = {}
        self._timings: dict[Chosen, Timing] = {}
        self._visits: dict[str, OrderedDict[Recipe, Visit]] = {}
        self._past: list[Chosen] = []
        self._future: list[Chosen] = []
        self._lock = threading.RLock()
        self._wanted = threading.Condition(self._lock)
        self._generation = 0
        self._pending = False
        self._closed = False
        self._worker: threading.Thread | None = None
        self._told = 0.0
        self._sweeps = 0
        self._scans = 0
        self._changes = 0  # of single layers
        self._broken_off: str | None = None
        self._now = Chosen(model, recipe)
        self._model = fitting(model, recipe)
        self._request()

    # --- what there is -------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The chosen model."""
        return self._model

    @property
    def recipe(self) -> Recipe:
        """The chosen recipe."""
        return self._now.recipe

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the tensors that can be pruned and quantised."""
        return self._model.layers

    @property
    def visited(self) -> tuple[Visit, ...]:
        """The recipes measured exactly for this model, in the order of their first visit."""
        with self._lock:
            return tuple(self._visits.get(self._now.model, {}).values())

    @property
    def timing(self) -> Timing | None:
        """How long the original and the current file take to run, once `time_it` has been asked."""
        return self._timings.get(self._now)

    @property
    def settled(self) -> bool:
        """Whether the report is that of the present recipe, and exact."""
        report = self.report
        current = report is not None and report.recipe == self.recipe and report.exact
        return current and not self.busy and not self.stale

    @property
    def note(self) -> str | None:
        """A sentence about a training that the last change broke off, or a store out of use."""
        return self._broken_off or self.store.note

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state to go back to."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone state to return to."""
        return bool(self._future)

    # --- verbs ---------------------------------------------------------------------------

    def set(self, recipe: Recipe) -> None:
        """Choose a recipe."""
        self._go(Chosen(self._now.model, recipe))

    def choose_model(self, name: str) -> None:
        """Choose a model; the recipe stays, without what names layers the new model lacks."""
        recipe = self.recipe
        try:
            fitting(name, recipe)
        except WorkbenchError:
            recipe = without_layers(recipe)
        self.open(name, recipe)

    def open(self, name: str, recipe: Recipe) -> None:
        """Choose a model and a recipe for it, in one step."""
        found = fitting(name, recipe)
        check_training(found, recipe)
        if found.task.metric != self._model.task.metric:
            self.floor = None  # a limit of another kind
        self._go(Chosen(name, recipe))

    def train(self, settings: Train, seconds: float) -> None:
        """Train the current recipe as `settings` say, as many steps as `seconds` allow.

        How many those are is measured first; the recipe then holds them, and repeats the run.
        """
        recipe = replace(without_idle_factors(self.recipe), train=settings)
        check_training(self._model, recipe)
        self._go(Chosen(self._now.model, recipe, seconds))

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
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Return to the state that was undone last, if there is one."""
        self._step(self._future, self._past)

    def set_budget(self, size: int | None) -> None:
        """Set the most bytes a file should have, or lift the limit."""
        self.budget = allowed_budget(size)
        self._tell()

    def set_floor(self, value: float | None) -> None:
        """Set the worst figure of the task's metric that is wanted, or lift the limit."""
        self.floor = allowed_floor(value, self._model.task.metric)
        self._tell()

    def cancel(self) -> None:
        """Stop measuring; the last figures stay, marked stale where they are of another recipe."""
        with self._lock:
            if not self.busy:
                return
            self._generation += 1
            self._pending = False
            self.busy = False
            if self._now.seconds is not None and self._past:  # nothing has begun: as if not asked
                self._now = self._past.pop()
            shown = self.report
            whole = shown is not None and shown.exact and shown.recipe == self.recipe
            self.stale = shown is not None and not whole
        self._tell()

    def measure_again(self) -> None:
        """Measure the current recipe again, after a cancel or an error."""
        self._request()

    def warm_up(self) -> None:
        """Load in the background what measuring will need, so that the first slide is quick."""
        with self._lock:
            self._start()

    def query(self) -> str:
        """Return the query string that opens this state."""
        extra = {}
        if self.budget is not None:
            extra["budget"] = str(self.budget)
        if self.floor is not None:
            extra["floor"] = f"{self.floor:g}"
        return to_query(self._now.model, self.recipe, extra)

    def restore(self, query: str) -> None:
        """Open the state of a query string.

        Raises
        ------
        WorkbenchError
            When the link is bad; the session then shows the default state.
        """
        try:
            name, recipe, extra = from_query(query, EXTRA_KEYS)
            budget = allowed_budget(number(extra.get("budget"), "budget", int))
            moment = Chosen(name or DEFAULT_MODEL, recipe)
            found = fitting(moment.model, recipe)
            floor = allowed_floor(number(extra.get("floor"), "floor", float), found.task.metric)
            check_training(found, recipe)
        except WorkbenchError:
            self.budget = self.floor = None
            self._go(Chosen(DEFAULT_MODEL, Recipe()))
            raise
        self.budget, self.floor = budget, floor
        self._tell()
        self._go(moment)

    def artifact(
        self,
        cancelled: Callable[[], bool] = lambda: False,
        watch: Callable[[TrainingMoment], None] = lambda moment: None,
    ) -> Artifact:
        """Make the file of the current recipe, which takes a moment.

        A trained file that is no longer kept is trained once more, of which `watch` is told.

        Raises
        ------
        WorkbenchError
            When it was never trained.
        Cancelled
            When `cancelled()` answers True during training.
        """
        from workbench.pipeline import compress

        with self._lock:
            chosen, recipe = self._model, self.recipe
            self._refuse_untrained()
        return compress(chosen, recipe, progress=watch, cancelled=cancelled)

    def time_it(self, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Time the original and the current file in turn; takes about a second."""
        from workbench.evaluation.resources import race

        with self._lock:
            moment, chosen = self._now, self._model
        small = self.artifact()
        file = chosen.in_form(small.form), small.operands()
        timed = race([(chosen, chosen.weights()), file], cancelled=cancelled)
        self._timings[moment] = timed[0], timed[1]
        self._tell()

    def ask_teacher(self, teacher: str, temperature: float, example: int = 0) -> None:
        """Look up what the teacher thinks of an example; takes a moment the first time."""
        from workbench.training.opinions import opinions

        known = opinions(self._model, teacher)
        opinion = known[example % len(known)]
        self.question = Question(teacher, temperature, example, opinion)
        self._tell()

    def look_at(self, **changes: Any) -> None:
        """Change fields of `focus`."""
        self.focus = replace(self.focus, **changes)
        self._tell()

    def found(self, kind: str, of: Any = None) -> Any:
        """Return what `find_out` found about the present file, or None."""
        return self._findings.get((self._model.name, self.recipe), Wanted(kind, of))

    def find_out(
        self,
        kind: str,
        of: Any = None,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[float], None] = lambda share: None,
    ) -> Any:
        """Find out something about the original and the present file; takes a moment, once.

        `kind` is "changes" (the `Changes` of the validation split), "attribution" (the
        `Attribution` of the example `of`) or "histogram" (the `Histogram` of the layer `of`).

        Raises
        ------
        WorkbenchError
            When there is no such example or layer, or the file was never trained.
        Cancelled
            When `cancelled()` answers True on the way, or the session is closed.
        """
        with self._lock:
            chosen, recipe = self._model, self.recipe
            self._refuse_untrained()
        found = self._findings.find(
            chosen, recipe, Wanted(kind, of), lambda: self._closed or cancelled(), progress
        )
        self._tell()
        return found

    def sweep(
        self,
        settings: Train,
        seconds: float,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Train the model at a row of temperatures, for `seconds` in all; the newest call wins.

        Raises
        ------
        WorkbenchError
            When there is no teacher, or no time.
        Cancelled
            When `cancelled()` answers True; what was found so far stays.
        """
        from workbench.trials.temperatures import sweep

        chosen = self._model
        check_training(chosen, Recipe(train=settings))
        with self._lock:
            self.tried = None
            self._sweeps += 1
            mine = self._sweeps

        def over() -> bool:
            outdated = mine != self._sweeps or chosen is not self._model
            return outdated or self._closed or cancelled()

        for found in sweep(chosen, settings, seconds=seconds, cancelled=over):
            fresh = self.tried is None or found.levels != self.tried.levels
            self.tried = found
            progress(found.share)
            if fresh:
                self._tell()

    def scan(
        self,
        part: str,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Find out what each layer alone bears of the recipe's part called `part`; newest wins.

        Raises
        ------
        WorkbenchError
            When no part of that name knows layers.
        Cancelled
            When `cancelled()` answers True; what was found so far stays.
        """
        from workbench.trials.scanning import scan

        if part not in BY_LAYER:
            raise WorkbenchError(_("There is no {name} by layer.").format(name=repr(part)))
        with self._lock:
            chosen, how = self._model, getattr(self.recipe, part) or switched_off(part)
            self._scans += 1
            mine = self._scans

        def over() -> bool:
            outdated = mine != self._scans or chosen is not self._model
            return outdated or self._closed or cancelled()

        for found in scan(chosen, how, store=self.store, cancelled=over):
            with self._lock:
                if over():
                    return
                self.sensitivity = found
            progress(found.share)
            self._tell()

    def hold(self, size: int | None) -> None:
        """Keep the file at `size` bytes while layers change, or let it have any size again."""
        self.held = allowed_budget(size)
        self._tell()

    def change_layer(self, recipe: Recipe, layer: str) -> None:
        """Choose a recipe in which `layer` has changed; the newest call wins.

        Where the file's size is held, the other layers share what is left, which takes a moment.

        Raises
        ------
        WorkbenchError
            When they cannot.
        Cancelled
            When a newer call, or another model, came meanwhile.
        """
        with self._lock:
            chosen, asked, before = self._model, self.held, self._now
            self._changes += 1
            mine = self._changes

        def over() -> bool:
            return mine != self._changes or before != self._now or self._closed

        if asked is not None:
            from workbench.trials.balancing import balance

            recipe = balance(chosen, recipe, layer, asked, cancelled=over).recipe
        if over():
            raise Cancelled("Another change came.")
        self.set(recipe)

    def test_report(
        self,
        artifact: Artifact,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[Report], None] = lambda report: None,
    ) -> Report:
        """Measure a file that `artifact` made on the test split; takes seconds."""
        from workbench.evaluation.measure import steps

        chosen = model(artifact.model)
        for last in steps(
            chosen, artifact.recipe, split="test", store=self.store, cancelled=cancelled
        ):
            progress(last)
        if last.size.digest != artifact.digest:  # a store made by another machine's arithmetic
            raise WorkbenchError(
                _("The file differs from the one measured: empty the store of results, and reload.")
            )
        return last

    def subscribe(self, observer: Callable[[Session], None]) -> Callable[[], None]:
        """Call `observer` after every change, until the returned function is called."""
        with self._lock:
            self._observers.append(observer)

        def stop() -> None:
            with self._lock, suppress(ValueError):
                self._observers.remove(observer)

        return stop

    def close(self) -> None:
        """Stop the worker and forget the observers."""
        with self._lock:
            self._closed = True
            self._generation += 1
            self._observers.clear()
            self._wanted.notify_all()
            worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join()

    # --- inside --------------------------------------------------------------------------

    def _go(self, moment: Chosen) -> None:
        chosen = fitting(moment.model, moment.recipe)
        with self._lock:
            if moment == self._now and self.report is not None and not self.stale:
                return
            if moment != self._now:
                self._past = [*self._past[-LONGEST_HISTORY:], self._now]
                self._future = []
            broken_off = self._what_breaks_off()
            self._enter(moment, chosen)
            self._broken_off = broken_off
        self._request()

    def _step(self, source: list[Chosen], target: list[Chosen]) -> None:
        with self._lock:
            if not source:
                return
            target.append(self._now)
            moment = source.pop()
            self._enter(moment, model(moment.model))
        self._request()

    def _refuse_untrained(self) -> None:
        made = self.report is not None and self.report.recipe == self.recipe
        if self.recipe.train is not None and not made:
            raise WorkbenchError(
                _("This file is not trained yet: let the training end, or undo to the last file.")
            )

    def _what_breaks_off(self) -> str | None:
        """Return a sentence where leaving the present recipe breaks its training off."""
        course = self.training
        if self.busy and self._now.seconds is not None:
            return _("Training was stopped before its first step: undo to begin it again.")
        if not self.busy or course is None or course.step >= course.steps:
            return None
        return _("Training stopped at step {step} of {steps}: undo to return to it.").format(
            step=figures.count(course.step), steps=figures.count(course.steps)
        )

    def _enter(self, moment: Chosen, chosen: Model) -> None:
        if moment.model != self._now.model:
            self.report = None
            self.question = None
            self.tried = None
            self.focus = replace(self.focus, first=0, layer=None)
            if chosen.task != self._model.task:
                self.focus = replace(self.focus, example=None)
            self.sensitivity = None
            self.held = None
        self._now, self._model = moment, chosen
        self.training = self._courses.get(moment)
        self.error = None
        self._broken_off = None

    def _request(self) -> None:
        """Answer from what is known, or wake the worker."""
        with self._lock:
            self._generation += 1
            self.calibrated = None
            found = None
            if self._now.seconds is None:  # else the recipe is not whole: its steps are missing
                found = known(self._model, self.recipe, "validation", self.store)
            self.stale = False
            if found is not None:
                self._take(found)
            self.busy = found is None or not found.exact
            self.plain = self._known_plain()
            self._pending = self.busy or (self._has_plain() and self.plain is None)
            if self._pending:
                self._start()
            self._wanted.notify_all()
        self._tell()

    def _has_plain(self) -> bool:
        return self.recipe.train is None and self.recipe.plain != self.recipe

    def _known_plain(self) -> Report | None:
        """Return the exact report of the recipe's plain version, if it was measured before."""
        if not self._has_plain():
            return None
        found = known(self._model, self.recipe.plain, "validation", self.store)
        return found if found is not None and found.exact else None

    def _start(self) -> None:
        if self._worker is None and not self._closed:
            self._worker = threading.Thread(target=self._work, name="measure", daemon=True)
            self._worker.start()
            _open_sessions.add(self)

    def _work(self) -> None:
        self._warm()
        while True:
            with self._lock:
                while not self._pending and not self._closed:
                    self._wanted.wait()
                if self._closed:
                    return
                self._pending = False
                generation, chosen, recipe = self._generation, self._model, self.recipe
                seconds = self._now.seconds
            try:
                if seconds is not None:
                    recipe = self._spend(generation, chosen, recipe, seconds)
                self._measure(generation, chosen, recipe)
            except Cancelled:
                continue
            except WorkbenchError as error:
                self._fail(generation, str(error))
            except Exception as error:  # a worker that dies would leave the page waiting
                log.exception("measuring failed")
                message = _("Measuring failed: {error}. Move a slider or reload the page.")
                self._fail(generation, message.format(error=error))

    def _warm(self) -> None:
        """Go once through all that measuring loads, unless something is already wanted."""
        from workbench.evaluation.measure import steps

        def wanted() -> bool:
            return self._pending or self._closed

        with suppress(Exception):  # what fails now fails again, and is told, when it is wanted
            if not wanted():
                for _found in steps(self.model, REHEARSAL, store=Store(), cancelled=wanted):
                    pass

    def _measure(self, generation: int, chosen: Model, recipe: Recipe) -> None:
        from workbench.evaluation.stand_in import live_steps, plain_report

        def outdated() -> bool:
            return generation != self._generation

        def watch(moment: TrainingMoment) -> None:
            if not outdated():
                self._watch(moment)

        def calibrating(share: float) -> None:
            if not outdated():
                self.calibrated = share
                self._tell()

        for found in live_steps(
            chosen,
            recipe,
            store=self.store,
            cancelled=outdated,
            watch=watch,
            calibrating=calibrating,
        ):
            with self._lock:
                if outdated():
                    return
                self.calibrated = None
                self._take(found)
                self.busy = not found.exact or found.stands_for is not None
            self._tell()
        plain = plain_report(chosen, recipe, store=self.store, cancelled=outdated)
        with self._lock:
            if outdated() or plain is None:
                return
            self.plain = plain
        self._tell()

    def _spend(self, generation: int, chosen: Model, recipe: Recipe, seconds: float) -> Recipe:
        """Put into the recipe the steps that `seconds` allow."""
        from workbench.training.budget import steps_for

        assert recipe.train is not None
        count = steps_for(chosen, recipe, seconds, lambda: generation != self._generation)
        spent = replace(recipe, train=replace(recipe.train, steps=count))
        with self._lock:
            if generation != self._generation:
                raise Cancelled("Training was stopped.")
            self._now = Chosen(self._now.model, spent)
        return spent

    def _watch(self, moment: TrainingMoment) -> None:
        """Keep the course of training, and tell of it a few times a second."""
        now = time.monotonic()
        before = self.training
        last = moment.over
        if before is not None and not last and now - self._told < BETWEEN_TELLS:
            return
        self._told = now
        curve = before.curve if before is not None else ()
        self.training = Progress(
            step=moment.step,
            steps=moment.steps,
            seconds_left=moment.seconds_left,
            examples_per_second=moment.examples_per_second,
            curve=(*curve, (moment.step, moment.loss, moment.accuracy)),
        )
        if last:
            self._courses[self._now] = self.training
        self._tell()

    def _take(self, found: Report) -> None:
        self.report = found
        if found.score is not None and found.exact and found.stands_for is None:
            visits = self._visits.setdefault(found.model, OrderedDict())
            visits[found.recipe] = Visit(found.recipe, found.size.bytes, found.score.value)

    def _fail(self, generation: int, sentence: str) -> None:
        with self._lock:
            if generation != self._generation:
                return
            self.busy = False
            self.error = sentence
            self.stale = self.report is not None
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            observers = list(self._observers)
        for observer in observers:
            try:
                observer(self)
            except Exception:  # one that fails must stop neither the others nor the worker
                log.exception("an observer failed")


_open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """End the workers in time: one that is inside PyTorch while Python ends aborts the process."""
    for session in list(_open_sessions):
        session.close()
