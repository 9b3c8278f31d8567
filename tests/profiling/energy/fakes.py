"""A fake clock, powercap tree and NVML, on which a test sets every reading."""

from __future__ import annotations

import os

import pytest

from workbench.profiling.energy.machine import Machine


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Powercap:
    """A powercap tree in a folder: zones with names, ranges and counters in microjoules."""

    def __init__(self, root):
        if os.name == "nt":
            pytest.skip("Windows allows no colons in names of folders, and has no powercap tree")
        self.root = root

    def zone(self, path, name, microjoules, *, limit=262_143_328_850):
        folder = self.root / path
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{limit}\n")
        self.set(path, microjoules)

    def set(self, path, microjoules):
        (self.root / path / "energy_uj").write_text(f"{microjoules}\n")


class Nvml:
    """The functions of `pynvml` that are used, with GPUs as a list of millijoules."""

    class NVMLError(Exception):
        pass

    def __init__(self, millijoules, *, counters=True):
        self.millijoules = millijoules
        self.milliwatts = [0] * len(millijoules)
        self.counters = counters

    def nvmlDeviceGetCount(self):  # noqa: N802 - NVML's names
        return len(self.millijoules)

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle):  # noqa: N802
        return b"Fake"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):  # noqa: N802
        if not self.counters or self.millijoules[handle] is None:
            raise self.NVMLError("Not Supported")
        return self.millijoules[handle]

    def nvmlDeviceGetPowerUsage(self, handle):  # noqa: N802
        return self.milliwatts[handle]


def machine(folder, clock, nvml=None, **environment):
    """Return a machine whose counters and sensors are below `folder`; its processor is unknown."""
    return Machine(
        powercap=folder / "powercap",
        hwmon=folder / "hwmon",
        batteries=folder / "power_supply",
        processor=folder / "cpuinfo",
        nvml=lambda: nvml,
        system="Linux",
        environment=environment,
        clock=clock,
    )
