"""Energy estimated from processor time: idle watts, and further watts of each busy thread."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from workbench.i18n import _
from workbench.profiling.energy.energy import How, Scope
from workbench.profiling.energy.processors import CpuPower
from workbench.profiling.energy.source import Reading


def processor_seconds() -> float:
    """Return the processor time of this process and of its processes that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


class ProcessorModel:
    """The energy of this process as if it had the processor alone.

    The interval is wide, because the watts are those of a family of servers: estimates from
    processor time were up to 40 % off wattmeters (arXiv 2509.22092).
    """

    how: How = "model"
    scope: Scope = "process"
    tick = 0.0
    every = 0.1
    relative = (0.5, 1.6)

    def __init__(
        self,
        power: CpuPower,
        *,
        idle: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        used: Callable[[], float] = processor_seconds,
    ) -> None:
        self._idle, self._busy = power.idle if idle else 0.0, power.busy
        self.name = _("{idle} W idle, {busy} W for each busy thread: {origin}").format(
            idle=f"{power.idle:.3g}", busy=f"{power.busy:.3g}", origin=power.origin
        )
        self._clock, self._used = clock, used
        self._start = clock(), used()

    def read(self) -> Reading:
        """Return the joules since the model was made."""
        began, before = self._start
        seconds, used = self._clock() - began, self._used() - before
        return Reading(self._idle * seconds + self._busy * used)
