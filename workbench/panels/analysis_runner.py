"""Background thread that computes the analysis the open tab needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.cancel import CancelToken
from workbench.i18n import _
from workbench.panels.channel import Channel
from workbench.panels.error_boundary import error_boundary
from workbench.panels.jobs import COMPARISON, progress_message
from workbench.session.analyses import AnalysisKey

if TYPE_CHECKING:
    from workbench.recipe import Recipe

Job = tuple[str, "Recipe", AnalysisKey]
"""The name of a model, a recipe and an analysis of the compressed model."""

PROGRESS_DELAY = 0.5  # seconds of work before the progress bar shows


class AnalysisRunner:
    """Run the newest job in at most one thread; a job that is no longer needed is cancelled.

    Parameters
    ----------
    missing
        Returns the analysis that the open tab needs and that is not cached yet, or None.
    """

    def __init__(self, channel: Channel, missing: Callable[[], AnalysisKey | None]) -> None:
        self._channel = channel
        self._missing = missing
        self._lock = threading.Lock()
        self._busy = False
        self._skipped: Job | None = None  # cancelled or failed
        self._current: Job | None = None

    def update(self) -> None:
        """Start the thread if there is a job and no thread is running; return immediately."""
        with self._lock:
            if self._busy or self._job() is None:
                return
            self._busy = True
        threading.Thread(target=self._work, daemon=True, name="compare").start()

    def cancel(self) -> None:
        """Cancel the current job; it does not restart until another one is needed."""
        self._skipped = self._current

    def _job(self) -> Job | None:
        session = self._channel.session
        key = self._missing() if session.settled else None
        job = None if key is None else (session.model.name, session.recipe, key)
        if job != self._skipped:
            self._skipped = None
            return job
        return None

    def _next(self) -> Job | None:
        with self._lock:
            self._current = self._job()
            self._busy = self._current is not None
            return self._current

    def _work(self) -> None:
        while (job := self._next()) is not None:
            with error_boundary(self._channel.show_message), self._progress_bar() as on_progress:
                self._run(job, on_progress)
            if job == self._job():  # it failed, and would fail again
                self._skipped = job

    def _run(self, job: Job, on_progress: Callable[[float], None]) -> None:
        key = job[2]
        self._channel.session.analyze(
            key.kind,
            key.target,
            cancel=CancelToken(lambda: job != self._job()),
            on_progress=on_progress,
        )

    @contextmanager
    def _progress_bar(self) -> Iterator[Callable[[float], None]]:
        """Show a progress bar after a delay; yield the function that sets its fraction."""
        message = progress_message(COMPARISON, _("Comparing the original model and the file"))
        lock = threading.Lock()
        shown = finished = False

        def show() -> None:
            nonlocal shown
            with lock:
                if not finished:
                    shown = True
                    self._channel.send(message)

        def on_progress(fraction: float) -> None:
            if shown:
                self._channel.send({**message, "fraction": fraction})

        timer = threading.Timer(PROGRESS_DELAY, show)
        timer.daemon = True
        timer.start()
        try:
            yield on_progress
        finally:
            timer.cancel()
            with lock:
                finished = True
            if shown:
                self._channel.send({**message, "text": None})
