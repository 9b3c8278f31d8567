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
    seconds : float
        The time budget.
    students, finished : int
        How many students there are, and how many have finished; 0 while the speed is measured.
    share : float
        The fraction of all steps that are done.
    seconds_left : float or None
        The estimated remaining time, once it is known.
    over : bool
        Whether the sweep has ended; with a `share` below 1, it was stopped.
    """

    seconds: float
    students: int = 0
    finished: int = 0
    share: float = 0.0
    seconds_left: float | None = None
    over: bool = False
    _first: tuple[float, float] | None = None  # time and share of the first result

    def after(self, result: TemperatureSweep) -> SweepProgress:
        """Return the progress at a new result."""
        now = time.monotonic()
        begin, share = self._first or (now, result.share)
        remaining = None
        if result.share > share:
            remaining = (now - begin) * (1 - result.share) / (result.share - share)
        return replace(
            self,
            students=result.students,
            finished=len(result.outcomes),
            share=result.share,
            seconds_left=remaining,
            _first=(begin, share),
        )

    def ended(self) -> SweepProgress:
        """Return the progress at the end."""
        return replace(self, over=True)
