"""Energy counters of NVIDIA GPUs, through the package `nvidia-ml-py` if it is installed."""

from __future__ import annotations

import time
from functools import cache
from importlib import import_module
from typing import Any

from workbench.profiling.energy.energy import How, Scope
from workbench.profiling.energy.sensors import Clock, PowerIntegral
from workbench.profiling.energy.source import LostSourceError, Reading, Source

MILLI = 1e-3
TICK = 0.1
"""NVML updates its readings every 20 to 100 ms."""


class GpuCounter:
    """The total energy of one GPU since its driver was loaded; Volta or newer."""

    how: How = "counter"
    scope: Scope = "gpu"
    tick = TICK
    every = TICK
    relative = (1.0, 1.0)

    def __init__(self, nvml: Any, handle: Any, name: str) -> None:
        self.name = name
        self._nvml, self._handle = nvml, handle
        self._start = self._last = nvml.nvmlDeviceGetTotalEnergyConsumption(handle)

    def read(self) -> Reading:
        """Return the joules since the counter was opened."""
        try:
            now = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        except self._nvml.NVMLError as error:
            raise LostSourceError(str(error)) from error
        if now < self._last:
            raise LostSourceError("The driver was loaded again, which sets the counter to zero.")
        self._last = now
        return Reading((now - self._start) * MILLI)


def open_gpus(nvml: Any, clock: Clock = time.perf_counter) -> tuple[list[Source], list[str]]:
    """Return a counter or sensor of each GPU, and the names of those that cannot be read."""
    sources: list[Source] = []
    unreadable: list[str] = []
    if nvml is None:
        return sources, unreadable
    try:
        handles = [
            nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())
        ]
    except nvml.NVMLError:
        return sources, unreadable
    for number, handle in enumerate(handles):
        name = f"GPU {number}"
        try:
            name = f"{name}, {_text(nvml.nvmlDeviceGetName(handle))}"
            sources.append(_open(nvml, handle, name, clock))
        except nvml.NVMLError:  # it reports neither energy nor power
            unreadable.append(name)
    return sources, unreadable


def _open(nvml: Any, handle: Any, name: str, clock: Clock) -> Source:
    try:
        return GpuCounter(nvml, handle, name)
    except nvml.NVMLError:

        def watts() -> float:
            try:
                return float(nvml.nvmlDeviceGetPowerUsage(handle)) * MILLI
            except nvml.NVMLError as error:
                raise LostSourceError(str(error)) from error

        nvml.nvmlDeviceGetPowerUsage(handle)
        return PowerIntegral(watts, "gpu", name, tick=TICK, clock=clock)


@cache
def load_nvml() -> Any:
    """Return the module `pynvml` with NVML initialized, or None where there is none."""
    try:
        nvml = import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    return nvml


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
