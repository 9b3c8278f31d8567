"""The thread that measures the newest recipe and drops it when a newer one arrives."""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.cache.free_memory import return_free_memory
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.cached_results import cached_report
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.recipe import Quantize, Recipe
from workbench.session.state import UNTOUCHED, State

if TYPE_CHECKING:
    from workbench.evaluation.course import Course, CoursePoint
    from workbench.training.types import TrainingStep

WARM_UP_RECIPE = Recipe(quantize=Quantize(bits=8))
REST = 1.0  # seconds without a request after which unused memory is returned
NOTIFY_INTERVAL = 0.15  # seconds between two notifications of training steps
SETTLE = 0.15  # seconds before an uncompressed model is measured: its card has its figures
MAX_OVERTIME = 0.25  # seconds in which an outdated recipe of a drag may get its first estimate

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Request:
    generation: int
    model: Model
    recipe: Recipe
    gesture: int | None
    started: float  # by the monotonic clock


class Worker:
    """Measures the current selection in a `thread` that starts when it is first needed.

    Each request has a generation. Results of an older generation are dropped, except during a drag:
    its recipes arrive faster than they are measured, so a recipe still gets its first estimate.

    Parameters
    ----------
    state
        What to measure, and where the results go.
    postpone
        Whether to leave an original unmeasured until `request` is called with `force`, or the
        thread starts for another reason: the model card has its figures.
    """

    def __init__(self, state: State, *, postpone: bool = False) -> None:
        self.thread: threading.Thread | None = None
        self._state = state
        self._changed = threading.Condition(state.lock)
        self._generation = 0
        self._reported = 0  # the generation of the newest report
        self._pending = False
        self._measure_after = 0.0  # by the monotonic clock
        self._notified = 0.0
        self._postpone = postpone
        _workers.add(self)

    def request(self, *, force: bool = False) -> None:
        """Answer from the result cache, or wake the thread."""
        state = self._state
        with state.lock:
            self._generation += 1
            state.calibration_progress = None
            state.requested = time.monotonic()
            cached = None
            if state.selection.seconds is None:  # otherwise the number of steps is still unknown
                cached = cached_report(state.model, state.recipe, "validation", state.store)
            state.stale = False
            if cached is not None:
                self._reported = self._generation
                state.add_report(cached)
            elif state.recipe == UNTOUCHED:
                state.report = None  # the card of the model has size and metric
            missing = cached is None or not cached.exact
            idle = self._postpone and not force and self.thread is None
            state.postponed = missing and idle and state.selection.is_original
            state.busy = missing and not state.postponed
            state.baseline = _cached_baseline(state.model, state.recipe, state.store)
            needs_baseline = _has_baseline(state.recipe) and state.baseline is None
            self._pending = state.busy or needs_baseline
            if self._pending:
                self._measure_after = state.requested + SETTLE * (state.recipe == UNTOUCHED)
                self.start()
            self._changed.notify_all()
        state.notify()

    def start(self) -> None:
        """Start the thread unless it runs or the session is closed; call under the lock."""
        if self.thread is None and not self._state.closed:
            self.thread = threading.Thread(target=self._work, name="measure", daemon=True)
            self.thread.start()

    def discard(self) -> None:
        """Drop the current and the pending request; call under the lock."""
        self._generation += 1
        self._pending = False

    def close(self) -> None:
        """Close the session, and wait until the thread ends unless called from it."""
        with self._state.lock:
            self._state.close()
            self._generation += 1
            self._changed.notify_all()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join()

    def _work(self) -> None:
        self._warm_up()
        while self._next():
            pass

    def _next(self) -> bool:
        """Wait for the next request and measure it; return False when the session is closed.

        The thread refers to no model while it waits.
        """
        state = self._state
        with state.lock:
            self._wait()
            if state.closed:
                return False
            self._pending = False
            seconds = state.selection.seconds
            request = _Request(
                self._generation,
                state.model,
                state.recipe,
                state.gesture.number,
                time.monotonic(),
            )
        try:
            if seconds is not None:
                request = self._resolve_seconds(request, seconds)
            self._measure(request)
        except Cancelled:
            pass
        except WorkbenchError as error:
            self._fail(request.generation, str(error))
        except Exception as error:  # if the worker died, the page would wait forever
            log.exception("measuring failed")
            message = _("Measuring failed: {error}. Move a slider or reload the page.")
            self._fail(request.generation, message.format(error=error))
        return True

    def _wait(self) -> None:
        """Wait for a request or the end of the session; call under the lock."""
        rested = False
        while not self._state.closed:
            if self._pending:
                wait = self._measure_after - time.monotonic()
                if wait <= 0:
                    return
                self._changed.wait(wait)
            elif not self._changed.wait(None if rested else REST):
                return_free_memory()
                rested = True

    def _warm_up(self) -> None:
        """Load everything that measuring needs, unless a request is already pending."""
        from workbench.evaluation.measure import iter_reports

        def interrupted() -> bool:
            return self._pending or self._state.closed

        with suppress(Exception):  # the same failure is reported when a request needs it
            if not interrupted():
                model, store = self._state.model, ResultCache()
                for _report in iter_reports(
                    model, WARM_UP_RECIPE, store=store, cancel=CancelToken(interrupted)
                ):
                    pass

    def _measure(self, request: _Request) -> None:
        from workbench.evaluation.preview import baseline_report, iter_reports_with_preview

        state, model, recipe = self._state, request.model, request.recipe

        cancel = CancelToken(lambda: self._outdated(request))
        course = None if recipe.train is None else self._course(request, cancel)

        def on_step(step: TrainingStep) -> None:
            assert course is not None
            points = course.add(step)
            if not self._outdated(request):
                self._on_step(step, points)

        def on_calibration(fraction: float) -> None:
            if not self._outdated(request):
                state.calibration_progress = fraction
                state.notify()

        for report in iter_reports_with_preview(
            model,
            recipe,
            store=state.store,
            cancel=CancelToken(lambda: self._dropped(request), on_calibration),
            on_step=on_step,
            sample="" if request.gesture is None else f"drag {request.gesture}",
        ):
            self._add(request, report)
        baseline = baseline_report(model, recipe, store=state.store, cancel=cancel)
        with state.lock:
            if self._outdated(request) or baseline is None:
                return
            state.baseline = baseline
        state.notify()

    def _add(self, request: _Request, report: Report) -> None:
        """Show a report; of an outdated recipe only the first with a score, which ends it."""
        state = self._state
        with state.lock:
            outdated = self._outdated(request)
            if self._dropped(request):
                raise Cancelled("A newer recipe replaced this one.", code="session.superseded")
            if outdated and report.score is None:
                return
            state.calibration_progress = None
            state.add_report(report)
            if report.score is not None:
                self._reported = request.generation
            if not outdated:
                state.busy = not report.exact or report.preview_of is not None
        state.notify()
        if outdated:
            raise Cancelled("A newer recipe replaced this one.", code="session.superseded")

    def _outdated(self, request: _Request) -> bool:
        return request.generation != self._generation

    def _dropped(self, request: _Request) -> bool:
        """Whether a recipe is outdated and does not get its first estimate in a drag either."""
        state = self._state
        dragging = request.gesture is not None and request.gesture == state.gesture.number
        same_model = request.model.identity == state.model.identity
        answered = self._reported >= request.generation
        overtime = time.monotonic() - request.started > MAX_OVERTIME
        in_time = dragging and same_model and not answered and not overtime
        return self._outdated(request) and not in_time

    def _resolve_seconds(self, request: _Request, seconds: float) -> _Request:
        """Set the number of training steps in the recipe that `seconds` allow."""
        from workbench.training.budget import steps_for
        from workbench.training.compress import artifact_bytes

        model, recipe = request.model, request.recipe
        cancel = CancelToken(lambda: self._outdated(request))
        assert recipe.train is not None
        count = steps_for(model, recipe, seconds, cancel, artifact_bytes, watched=True)
        resolved = replace(recipe, train=replace(recipe.train, steps=count))
        state = self._state
        with state.lock:
            if cancel.cancelled:
                raise Cancelled("Training was stopped.", code="session.superseded")
            selection = replace(state.selection, recipe=resolved, seconds=None)
            state.history = state.history.with_current(selection)
        return replace(request, recipe=resolved)

    def _course(self, request: _Request, cancel: CancelToken) -> Course:
        from workbench.evaluation.course import Course  # loads everything that training needs

        return Course(request.model, request.recipe, self._state.store, cancel)

    def _on_step(self, step: TrainingStep, points: Sequence[CoursePoint]) -> None:
        """Record a training step, and notify observers a few times a second."""
        now = time.monotonic()
        waits = self._state.training is not None and now - self._notified < NOTIFY_INTERVAL
        if waits and not step.over and not points:
            return
        self._notified = now
        self._state.add_step(step, points)
        self._state.notify()

    def _fail(self, generation: int, message: str) -> None:
        with self._state.lock:
            if generation != self._generation:
                return
            self._state.fail(message)
        self._state.notify()


def _has_baseline(recipe: Recipe) -> bool:
    return recipe.train is None and recipe.baseline != recipe


def _cached_baseline(model: Model, recipe: Recipe, store: ResultCache) -> Report | None:
    """Return the exact report of the recipe's baseline if it is cached."""
    if not _has_baseline(recipe):
        return None
    report = cached_report(model, recipe.baseline, "validation", store)
    return report if report is not None and report.exact else None


_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Stop the threads before Python ends: a thread inside PyTorch would abort the process."""
    for worker in list(_workers):
        worker.close()
