"""The sources of energy readings that this machine has, the best one first."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.i18n import _
from workbench.profiling.energy.nvml import load_nvml, open_gpus
from workbench.profiling.energy.powercap import open_powercap
from workbench.profiling.energy.processor_model import ProcessorModel
from workbench.profiling.energy.processors import CpuPower, cpu_power
from workbench.profiling.energy.sensors import open_battery, open_hwmon
from workbench.profiling.energy.source import Source


@dataclass(frozen=True)
class Machine:
    """Where the system shows counters and sensors; folders that do not exist are skipped."""

    powercap: Path = Path("/sys/class/powercap")
    hwmon: Path = Path("/sys/class/hwmon")
    batteries: Path = Path("/sys/class/power_supply")
    processor: Path = Path("/proc/cpuinfo")
    nvml: Callable[[], Any] = load_nvml
    system: str = field(default_factory=platform.system)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Callable[[], float] = time.perf_counter

    def open(self, *, gpus: bool, idle: bool = True, power: CpuPower | None = None) -> OpenSources:
        """Return the best source for the processor, an estimate, and the GPUs.

        Parameters
        ----------
        gpus
            Whether to open the GPUs. A source of the whole machine includes them already.
        idle
            Whether the estimate includes the idle processor.
        power
            The coefficients of the estimate, instead of those of the environment or the table.
        """
        model = ProcessorModel(power or self.processor_power(), idle=idle, clock=self.clock)
        counter, locked = open_powercap(self.powercap)
        source: Source | None = (
            counter
            or open_hwmon(self.hwmon, self.clock)
            or open_battery(self.batteries, self.clock)
        )
        notes = () if counter is not None else (locked or self._no_counter(),)
        includes_gpus = source is not None and source.scope == "machine"
        opened, unreadable = (
            open_gpus(self.nvml(), self.clock) if gpus and not includes_gpus else ([], [])
        )
        return OpenSources(
            source or model, model, tuple(opened), notes, tuple(unreadable), includes_gpus
        )

    def processor_power(self) -> CpuPower:
        """Return the watts of the processor: of the environment, of the table, or typical ones."""
        lines = self._processor().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = names[0] if names else platform.processor()
        return cpu_power(name, os.cpu_count() or 1, self.environment)

    def _processor(self) -> str:
        try:
            return self.processor.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def _no_counter(self) -> str:
        """Return why there is no energy counter."""
        if " hypervisor" in self._processor():
            return _("This is a virtual machine, which has no energy counter.")
        if self.system == "Linux":
            return _("This system shows no energy counter of the processor.")
        return _("{system} shows no energy counter to programs without special rights.").format(
            system=self.system
        )


@dataclass(frozen=True)
class OpenSources:
    """The source for the processor or machine, the estimate, GPUs, and notes on the choice.

    `unreadable` are GPUs that report neither energy nor power; `includes_gpus` says whether the
    first source is of the complete machine.
    """

    processor: Source
    estimate: ProcessorModel
    gpus: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    includes_gpus: bool = False

    @property
    def has_counter(self) -> bool:
        """Whether the energy of the processor is counted, which a sensor or an estimate is not."""
        return self.processor.how == "counter"
