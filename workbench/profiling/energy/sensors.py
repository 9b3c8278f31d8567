"""Power sensors: watts that are read at intervals and summed over time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from workbench.profiling.energy.energy import How, Scope
from workbench.profiling.energy.source import LostSourceError, Reading

Clock = Callable[[], float]
MICRO = 1e-6
SENSORS: dict[str, Scope] = {
    "power_meter": "machine",
    "fam15h_power": "package",
    "zenpower": "package",
}
"""Drivers in Linux's hwmon tree, by name, whose power is that of a machine or a processor."""
READINGS = ("power1_average", "power1_input")
ACCURACY = 0.1
"""Assumed relative accuracy of a sensor; drivers do not report it."""


class PowerIntegral:
    """The energy of a sensor that shows watts, summed by the trapezoidal rule."""

    how: How = "sensor"
    relative = (1 - ACCURACY, 1 + ACCURACY)

    def __init__(
        self,
        watts: Callable[[], float],
        scope: Scope,
        name: str,
        *,
        tick: float = 1.0,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.scope: Scope = scope
        self.name = name
        self.tick = self.every = tick
        self._watts, self._clock = watts, clock
        self._last = clock(), watts()
        self._joules = self._uncertainty = 0.0

    def read(self) -> Reading:
        """Return the joules so far; the power between two readings is uncertain by their half."""
        then, before = self._last
        now, watts = self._clock(), self._watts()
        self._joules += (now - then) * (before + watts) / 2
        self._uncertainty += (now - then) * abs(watts - before) / 2
        self._last = now, watts
        return Reading(self._joules, self._uncertainty)


def open_hwmon(root: Path, clock: Clock = time.perf_counter) -> PowerIntegral | None:
    """Return the sensor of the machine below `root`, else of the processor, else None."""
    known: dict[str, Path] = {}
    for folder in _folders(root):
        name = _line(folder / "name")
        for reading in READINGS:
            if name in SENSORS and _line(folder / reading).isdigit():
                known.setdefault(name, folder / reading)
    for name, scope in SENSORS.items():
        if name in known:
            return PowerIntegral(_microwatts(known[name]), scope, f"hwmon {name}", clock=clock)
    return None


def open_battery(root: Path, clock: Clock = time.perf_counter) -> PowerIntegral | None:
    """Return the power that a battery below `root` delivers to the machine; None if it does not."""
    for folder in _folders(root):
        if _line(folder / "type") == "Battery" and _line(folder / "status") == "Discharging":
            battery = _battery(folder)
            try:
                battery()
            except LostSourceError:
                continue
            return PowerIntegral(battery, "machine", f"battery {folder.name}", clock=clock)
    return None


def _battery(folder: Path) -> Callable[[], float]:
    def watts() -> float:
        if _line(folder / "status") != "Discharging":
            raise LostSourceError("the battery no longer delivers the power")
        power = _line(folder / "power_now")
        if power.isdigit():
            return int(power) * MICRO
        current, voltage = _line(folder / "current_now"), _line(folder / "voltage_now")
        if not (current.isdigit() and voltage.isdigit()):
            raise LostSourceError("the battery shows no power")
        return int(current) * MICRO * int(voltage) * MICRO

    return watts


def _microwatts(path: Path) -> Callable[[], float]:
    def watts() -> float:
        text = _line(path)
        if not text.isdigit():
            raise LostSourceError(f"{path} shows no power")
        return int(text) * MICRO

    return watts


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(root.iterdir())
    except OSError:
        return []


def _line(path: Path) -> str:
    """Return the content of a small file, or an empty string."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
