"""The thread that measures the newest recipe, and drops it as soon as a newer one arrives."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.cached_results import cached_report
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.recipe import Quantize, Recipe
from workbench.session.present import SharedState
from workbench.session.records import Selection
from workbench.session.results import Results

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep as TrainingMoment

REHEARSAL = Recipe(quantize=Quantize(bits=8))
BETWEEN_TELLS = 0.15  # seconds

log = logging.getLogger(__name__)


class Worker:
    """Measures what is present, in a `thread` that is begun when it is first needed.

    What it finds goes into `results`, and only while nothing newer was requested: each request has
    a generation, and what is of an older one is dropped.
    """

    def __init__(self, present: SharedState, results: Results) -> None:
        self.thread: threading.Thread | None = None
        self._present = present
        self._results = results
        self._wanted = threading.Condition(present.lock)
        self._generation = 0
        self._pending = False
        self._told = 0.0

    def request(self) -> None:
        """Answer from what is known, or wake the thread."""
        present, results = self._present, self._results
        with present.lock:
            self._generation += 1
            results.calibration_progress = None
            found = None
            if present.now.seconds is None:  # else the recipe is not whole: its steps are missing
                found = cached_report(present.model, present.recipe, "validation", present.store)
            results.stale = False
            if found is not None:
                results.take(found)
            results.busy = found is None or not found.exact
            results.plain = _known_plain(present.model, present.recipe, present.store)
            plain_missing = _has_plain(present.recipe) and results.plain is None
            self._pending = results.busy or plain_missing
            if self._pending:
                self.start()
            self._wanted.notify_all()
        present.tell()

    def start(self) -> None:
        """Begin the thread, unless it runs or the session is closed; called under the lock."""
        if self.thread is None and not self._present.closed:
            self.thread = threading.Thread(target=self._work, name="measure", daemon=True)
            self.thread.start()

    def discard(self) -> None:
        """Drop what is under way and what is pending; called under the lock."""
        self._generation += 1
        self._pending = False

    def end(self) -> None:
        """Wake the thread of a session that has just been closed; called under the lock."""
        self._generation += 1
        self._wanted.notify_all()

    def join(self) -> None:
        """Wait for the end of the thread, unless this is it."""
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join()

    def _work(self) -> None:
        present = self._present
        self._warm()
        while True:
            with present.lock:
                while not self._pending and not present.closed:
                    self._wanted.wait()
                if present.closed:
                    return
                self._pending = False
                generation, chosen, recipe = self._generation, present.model, present.recipe
                seconds = present.now.seconds
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
        from workbench.evaluation.measure import iter_reports

        def wanted() -> bool:
            return self._pending or self._present.closed

        with suppress(Exception):  # what fails now fails again, and is told, when it is wanted
            if not wanted():
                chosen = self._present.model
                for _found in iter_reports(
                    chosen, REHEARSAL, store=ResultCache(), cancelled=wanted
                ):
                    pass

    def _measure(self, generation: int, chosen: Model, recipe: Recipe) -> None:
        from workbench.evaluation.preview import baseline_report, iter_reports_with_preview

        present, results = self._present, self._results

        def outdated() -> bool:
            return generation != self._generation

        def watch(moment: TrainingMoment) -> None:
            if not outdated():
                self._watch(moment)

        def calibrating(share: float) -> None:
            if not outdated():
                results.calibration_progress = share
                present.tell()

        for found in iter_reports_with_preview(
            chosen,
            recipe,
            store=present.store,
            cancelled=outdated,
            on_step=watch,
            on_progress=calibrating,
        ):
            with present.lock:
                if outdated():
                    return
                results.calibration_progress = None
                results.take(found)
                results.busy = not found.exact or found.preview_of is not None
            present.tell()
        plain = baseline_report(chosen, recipe, store=present.store, cancelled=outdated)
        with present.lock:
            if outdated() or plain is None:
                return
            results.plain = plain
        present.tell()

    def _spend(self, generation: int, chosen: Model, recipe: Recipe, seconds: float) -> Recipe:
        """Put into the recipe the steps that `seconds` allow."""
        from workbench.pipeline import artifact_bytes
        from workbench.training.budget import steps_for

        assert recipe.train is not None
        count = steps_for(
            chosen, recipe, seconds, lambda: generation != self._generation, artifact_bytes
        )
        spent = replace(recipe, train=replace(recipe.train, steps=count))
        present = self._present
        with present.lock:
            if generation != self._generation:
                raise Cancelled("Training was stopped.")
            present.history = present.history.with_current(Selection(present.now.model, spent))
        return spent

    def _watch(self, moment: TrainingMoment) -> None:
        """Keep the course of training, and tell of it a few times a second."""
        now = time.monotonic()
        begun = self._results.training is not None
        if begun and not moment.over and now - self._told < BETWEEN_TELLS:
            return
        self._told = now
        self._results.follow(self._present.now, moment)
        self._present.tell()

    def _fail(self, generation: int, sentence: str) -> None:
        with self._present.lock:
            if generation != self._generation:
                return
            self._results.fail(sentence)
        self._present.tell()


def _has_plain(recipe: Recipe) -> bool:
    return recipe.train is None and recipe.baseline != recipe


def _known_plain(chosen: Model, recipe: Recipe, store: ResultCache) -> Report | None:
    """Return the exact report of the recipe's plain version, if it was measured before."""
    if not _has_plain(recipe):
        return None
    found = cached_report(chosen, recipe.baseline, "validation", store)
    return found if found is not None and found.exact else None
