"""The search for a recipe under limits, as a session shows it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.study.recommendation import Recommendation


@dataclass(frozen=True)
class Demand:
    """What the user asks for: limits, and how long to search."""

    max_bytes: int | None
    min_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Choosing:
    """A search that runs, was stopped, or has ended.

    Attributes
    ----------
    demand : Demand
    recommendation : Recommendation or None
        The newest result.
    state : str
        "working", "stopped" or "done".
    begin : float
        When it began, by the monotonic clock.
    """

    demand: Demand
    recommendation: Recommendation | None = None
    state: str = "working"
    begin: float = field(default_factory=time.monotonic)

    @property
    def fraction(self) -> float:
        """The fraction of the time that has passed, at most 1."""
        return min(1.0, (time.monotonic() - self.begin) / self.demand.seconds)

    @property
    def seconds_left(self) -> float:
        """The rest of the time in seconds."""
        return (1 - self.fraction) * self.demand.seconds
