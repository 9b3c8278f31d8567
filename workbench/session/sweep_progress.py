"""How far a comparison of temperatures is."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.experiments.temperatures import TemperatureSweep


@dataclass(frozen=True)
class SweepProgress:
    """How far `Session.sweep` is.

    Attributes
    ----------
    seconds : float or None
        The time budget, if there is one.
    students, finished : int
        How many students there are, and how many have finished; 0 while the speed is measured.
    completed : float
        The fraction of all steps that are done.
    seconds_left : float or None
        The estimated remaining time, once it is known.
    over : bool
        Whether the sweep has ended; with a `completed` below 1, it was stopped.
    """

    seconds: float | None
    students: int = 0
    finished: int = 0
    completed: float = 0.0
    seconds_left: float | None = None
    over: bool = False
    _first: tuple[float, float] | None = None  # time and part completed at the first result

    def after(self, result: TemperatureSweep) -> SweepProgress:
        """Return the progress at a new result."""
        now = time.monotonic()
        begin, completed = self._first or (now, result.completed)
        remaining = None
        if result.completed > completed:
            remaining = (now - begin) * (1 - result.completed) / (result.completed - completed)
        return replace(
            self,
            students=result.students,
            finished=len(result.outcomes),
            completed=result.completed,
            seconds_left=remaining,
            _first=(begin, completed),
        )

    def ended(self) -> SweepProgress:
        """Return the progress at the end."""
        return replace(self, over=True)
