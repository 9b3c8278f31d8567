"""The job of a session that trains a shipped student again."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from workbench.cancel import NEVER, CancelToken
from workbench.errors import InputError
from workbench.i18n import _
from workbench.session.calls import Calls
from workbench.session.jobs import Jobs, ignore
from workbench.session.state import State
from workbench.zoo.students import find_student

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep

PAUSE = 0.5
"""Seconds between two notices of the progress."""


class StudentJobs(Jobs):
    """The jobs of a session, and the one about a shipped student.

    Attributes
    ----------
    repeating : bool
        Whether `repeat_student` is running.
    repeat_step : TrainingStep or None
        Its last step; None before the first one.
    repeat_result : str
        What it has shown, as text; empty before.
    """

    def __init__(self, state: State) -> None:
        self._repeats = Calls()
        super().__init__(state)

    def _clear_jobs(self) -> None:
        super()._clear_jobs()
        self.repeating = False
        self.repeat_step: TrainingStep | None = None
        self.repeat_result = ""

    def repeat_student(
        self, cancel: CancelToken = NEVER, on_step: Callable[[TrainingStep], None] = ignore
    ) -> None:
        """Train the selected student again and compare the two files; a newer call wins.

        Observers are called at most once per `PAUSE`, `on_step` after each training step.

        Raises
        ------
        InputError
            If no student is selected.
        """
        from workbench.experiments.train_student import train_student

        state = self._state
        with state.lock:
            model, chosen = state.model, find_student(state.model.name)
            if chosen is None:
                raise InputError(_("Select a student first."), code="session.no_student")
            superseded = self._repeats.begin()
            token = self._token(model, superseded, cancel)
            self.repeating, self.repeat_step, self.repeat_result = True, None, ""
        state.notify()
        shown = -inf

        def show(step: TrainingStep) -> None:
            nonlocal shown
            with state.lock:
                if not token.cancelled:
                    self.repeat_step = step
            on_step(step)
            if step.over or time.monotonic() - shown >= PAUSE:
                shown = time.monotonic()
                state.notify()

        try:
            result = train_student(chosen, on_step=show, cancel=token)
        finally:
            with state.lock:
                if not superseded() and model.is_same_as(state.model):
                    self.repeating = False
            state.notify()
        with state.lock:
            if token.cancelled:
                return
            self.repeat_result = result.summary
        state.notify()
