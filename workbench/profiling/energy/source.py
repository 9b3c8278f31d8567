"""What every source of energy readings has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from workbench.profiling.energy.energy import How, Scope


class LostSourceError(Exception):
    """A counter or sensor can no longer be read."""


@dataclass(frozen=True)
class Reading:
    """Joules since the source was opened, with the sum of their uncertainties."""

    joules: float
    uncertainty: float = 0.0


class Source(Protocol):
    """A counter, a sensor or a model of power.

    Attributes
    ----------
    how, scope
        How its readings are known, and what they include.
    name : str
    tick : float
        Seconds between two updates of the reading: the start and the end of a period are known to
        that precision.
    every : float
        Seconds between two readings of a meter at least, so that reading costs little.
    relative : tuple of float
        The bounds of the interval relative to the reading, such as (0.5, 1.6) of a model.
    """

    how: How
    scope: Scope
    name: str
    tick: float
    every: float
    relative: tuple[float, float]

    def read(self) -> Reading:
        """Return the reading now.

        Raises
        ------
        LostSourceError
            If it can no longer be read.
        """
        ...
