"""The joules that one source reads within the sections of a meter."""

from __future__ import annotations

import math

from workbench.i18n import _
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.source import LostSourceError, Reading, Source


class Account:
    """Adds up what a source reads while sections run.

    Sections and pauses shorter than the source's `every` share a reading. Its joules are divided
    in proportion to time, and the smaller part is the uncertainty of that.

    Attributes
    ----------
    seconds : float
        The time of all sections.
    lost : bool
        Whether the source can no longer be read.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seconds = 0.0
        self.lost = False
        self._joules = self._uncertainty = 0.0
        self._idle_watts = self._idle_uncertainty = 0.0
        self._last = Reading(0.0)
        self._read_at: float | None = None
        self._ran = 0.0  # seconds of sections since the last reading

    @property
    def next_reading(self) -> float:
        """When the source may be read again, in seconds."""
        return -math.inf if self._read_at is None else self._read_at + self.source.every

    def run(self, seconds: float) -> None:
        """Count `seconds` of a section."""
        self.seconds += seconds
        self._ran += seconds

    def settle_if_due(self, now: float) -> None:
        """Read the source at the time `now` if its last reading is old enough."""
        if now >= self.next_reading:
            self.settle(now)

    def settle(self, now: float) -> None:
        """Read the source, and count the joules of sections since the last reading."""
        reading = self._read()
        if reading is None:
            return
        if self._read_at is not None and self._ran:
            seconds = max(now - self._read_at, self._ran)
            joules = reading.joules - self._last.joules
            share = self._ran / seconds
            self._joules += joules * share
            self._uncertainty += joules * min(share, 1 - share)
            self._uncertainty += (reading.uncertainty - self._last.uncertainty) * share
        self._last, self._read_at, self._ran = reading, now, 0.0

    def learn_idle(self, seconds: float) -> None:
        """Take the power since the last reading as that of idle hardware."""
        before, reading = self._last, self._read()
        if reading is not None and self.source.how != "model":
            self._idle_watts = (reading.joules - before.joules) / seconds
            self._idle_uncertainty = self._idle_watts * self.source.tick / seconds
        self._read_at, self._ran = None, 0.0

    def energy(self, notes: tuple[str, ...], *, idle_subtracted: bool) -> Energy:
        """Return the energy of all sections."""
        source = self.source
        if self.lost:
            note = _("The readings of {name} ended.").format(name=source.name)
            return Energy.unknown(*notes, note, scopes=(source.scope,))
        watts = self._joules / self.seconds if self.seconds else 0.0
        slack = self._uncertainty + watts * source.tick + self._idle_uncertainty * self.seconds
        lower, upper = source.relative
        idle = self._idle_watts * self.seconds
        return Energy(
            max(0.0, self._joules - idle),
            max(0.0, self._joules * lower - slack - idle),
            max(0.0, self._joules * upper + slack - idle),
            source.how,
            (source.scope,),
            idle_subtracted=idle_subtracted,
            sources=(source.name,),
            notes=notes,
        )

    def _read(self) -> Reading | None:
        if self.lost:
            return None
        try:
            return self.source.read()
        except LostSourceError:
            self.lost = True
            return None
