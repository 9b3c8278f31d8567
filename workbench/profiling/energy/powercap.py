"""Energy counters of processors that Linux shows in its powercap tree (RAPL; Intel and AMD).

Zones are folders: ``intel-rapl:0`` is a package, ``intel-rapl:0:2`` a part of it, such as its cores
or its memory. Cores are part of their package's reading, memory is not. A zone ``psys``, the
platform, includes the packages; it counts only where there are none. The counter returns to zero
at ``max_energy_range_uj`` (docs.kernel.org/power/powercap/powercap.html).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.i18n import _
from workbench.profiling.energy.energy import How, Scope
from workbench.profiling.energy.source import LostSourceError, Reading

MICRO = 1e-6
DIGITS = 64
"""Bytes of a number at most."""
PREFIX = "intel-rapl:"
"""Zones of another prefix, such as intel-rapl-mmio, show the same counters again."""


class Powercap:
    """The sum of the counters of one or more zones."""

    how: How = "counter"
    tick = 0.001
    every = 0.1
    relative = (1.0, 1.0)

    def __init__(self, zones: Sequence[Path], scope: Scope) -> None:
        self.scope: Scope = scope
        self.name = "RAPL " + ", ".join(_name(zone) for zone in zones)
        self._zones = [
            _Zone(str(zone / "energy_uj"), _number(zone / "max_energy_range_uj")) for zone in zones
        ]
        for zone in self._zones:
            zone.update()
        self._start = self._total()

    def read(self) -> Reading:
        """Return the joules of all zones since the counters were opened."""
        try:
            for zone in self._zones:
                zone.update()
        except (OSError, ValueError) as error:
            raise LostSourceError(str(error)) from error
        return Reading((self._total() - self._start) * MICRO)

    def _total(self) -> int:
        return sum(zone.total for zone in self._zones)


@dataclass
class _Zone:
    """One counter, continued where it returns to zero; all in microjoules."""

    counter: str
    range: int
    last: int | None = None
    total: int = 0

    def update(self) -> None:
        now = _number(self.counter)
        if self.last is not None and now < self.last and self.range <= 0:
            raise ValueError("The counter returned to zero, and its range is not known.")
        if self.last is not None:
            self.total += now - self.last if now >= self.last else now - self.last + self.range
        self.last = now


def open_powercap(root: Path) -> tuple[Powercap | None, str]:
    """Return the counters below `root`, and a sentence if they exist and cannot be read."""
    zones = sorted(path for path in _folders(root) if path.name.startswith(PREFIX))
    packages = [zone for zone in zones if _name(zone).startswith("package")]
    memory = [zone for zone in zones if _name(zone) == "dram"]
    platform = [zone for zone in zones if _name(zone) == "psys"]
    scope: Scope = "package" if packages else "machine"
    chosen = [*packages, *memory] if packages else platform[:1]
    if not chosen:
        return None, ""
    try:
        return Powercap(chosen, scope), ""
    except PermissionError:
        return None, _(
            "The processor has an energy counter that only the administrator may read: "
            "sudo chmod a+r {path} allows it until the next start."
        ).format(path=f"{root}/{PREFIX}*/energy_uj")
    except (OSError, ValueError):
        return None, _("The energy counter of the processor exists but cannot be read.")


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if (path / "energy_uj").exists()]
    except OSError:
        return []


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _number(path: Path | str) -> int:
    """Return the number in a file, with as few calls of the system as possible."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return int(os.read(descriptor, DIGITS))
    finally:
        os.close(descriptor)
