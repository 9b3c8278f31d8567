"""Finds out, in the background, what the open tab needs to know once the numbers are exact."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.i18n import _
from workbench.panels.error_boundary import error_boundary
from workbench.session.analyses import AnalysisKey

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard
    from workbench.recipe import Recipe

Job = tuple[str, "Recipe", AnalysisKey]

QUIET = 0.5  # seconds of work before a bar shows


class AnalysisRunner:
    """One thread at most, of the newest need: what nobody looks at any more is given up."""

    def __init__(self, view: Dashboard, wants: Callable[[], AnalysisKey | None]) -> None:
        self._view = view
        self._wants = wants
        self._lock = threading.Lock()
        self._busy = False
        self._given_up: Job | None = None
        self._now: Job | None = None

    def follow(self) -> None:
        """Begin, where there is something to find out and nobody is at it; returns at once."""
        with self._lock:
            if self._busy or self._job() is None:
                return
            self._busy = True
        threading.Thread(target=self._work, daemon=True, name="compare").start()

    def cancel(self) -> None:
        """Give up what is under way, until the person asks for something else."""
        self._given_up = self._now

    def _job(self) -> Job | None:
        session = self._view.session
        wanted = self._wants() if session.settled else None
        job = None if wanted is None else (session.model.name, session.recipe, wanted)
        if job != self._given_up:
            self._given_up = None
            return job
        return None

    def _next(self) -> Job | None:
        with self._lock:
            self._now = self._job()
            self._busy = self._now is not None
            return self._now

    def _work(self) -> None:
        while (job := self._next()) is not None:
            with error_boundary(self._view.tell), self._bar() as progress:
                self._find_out(job, progress)
            if job == self._job():  # it failed, and would fail again
                self._given_up = job

    def _find_out(self, job: Job, progress: Callable[[float], None]) -> None:
        wanted = job[2]
        self._view.session.analyze(
            wanted.kind, wanted.of, cancelled=lambda: job != self._job(), progress=progress
        )

    @contextmanager
    def _bar(self) -> Iterator[Callable[[float], None]]:
        """Show a bar once the work has taken a while; what is yielded sets its share."""
        message = {"kind": "task", "text": _("Comparing the original and the file")}
        telling = threading.Lock()
        shown = over = False

        def show() -> None:
            nonlocal shown
            with telling:
                if not over:
                    shown = True
                    self._view.send(message)

        def progress(share: float) -> None:
            if shown:
                self._view.send({**message, "share": share})

        timer = threading.Timer(QUIET, show)
        timer.daemon = True
        timer.start()
        try:
            yield progress
        finally:
            timer.cancel()
            with telling:
                over = True
            if shown:
                self._view.send({**message, "text": None})
