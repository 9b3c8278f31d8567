"""What reading energy costs: processor time of meters, as a share of a core.

`python benchmarks/energy.py [--quick]`. Counters are files in a temporary folder, two packages with
memory; reading the kernel's files takes longer, which the page on energy explains.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from _table import table

import workbench as wb
from workbench.profiling.energy.machine import Machine
from workbench.profiling.energy.meter import EnergyMeter
from workbench.training.run import Run
from workbench.training.setup import training_setup

ZONES = ("package-0", "dram", "package-1", "dram")
MODEL = "fashion/lenet-300-100"
"""The built-in model with the shortest steps."""


def main() -> None:
    """Print one row per kind of source: a training's sections, and a `with` statement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the time")
    seconds = 1.0 if parser.parse_args().quick else 10.0
    with tempfile.TemporaryDirectory() as folder:
        zones(Path(folder))
        machines = {
            "estimate": replace(Machine(), powercap=Path(folder) / "nowhere"),
            "counters of four zones": replace(Machine(), powercap=Path(folder)),
        }
        paces = {name: training(machine, seconds) for name, machine in machines.items()}
        rows = [
            (
                name,
                f"{steps:.0f}",
                f"{1e6 * section:.1f}",
                f"{100 * steps * section:.2f} %",
                f"{100 * waiting(machines[name], seconds):.3f} %",
            )
            for name, (steps, section) in paces.items()
        ]
    heads = (
        "source",
        "steps per second",
        "processor time of a section, µs",
        "share of a core in training",
        "in a `with` statement",
    )
    print(table(heads, rows))


def zones(root: Path) -> None:
    """Write a powercap tree."""
    for number, name in enumerate(ZONES):
        folder = root / f"intel-rapl:{number}"
        folder.mkdir()
        for file, content in {
            "name": name,
            "energy_uj": str(10**9),
            "max_energy_range_uj": str(2**38),
        }.items():
            (folder / file).write_text(content, encoding="ascii")


def training(machine: Machine, seconds: float) -> tuple[float, float]:
    """Return the steps per second of a training, and the processor seconds of its sections."""
    recipe = wb.Recipe(train=wb.Train(steps=100_000, threads=1))
    run = Run(training_setup(wb.model(MODEL), recipe), recipe)
    run.meter = counted = _Counted(machine)
    for step in run.go():
        if run.seconds > seconds:
            return step.step / run.seconds, counted.spent / step.step
    raise AssertionError("the training is too short")


class _Counted(EnergyMeter):
    """A meter that adds up the processor time of its own work."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(gpus=False, machine=machine)
        self.spent = 0.0

    def resume(self) -> None:
        start = time.thread_time()
        super().resume()
        self.spent += time.thread_time() - start

    def pause(self) -> None:
        start = time.thread_time()
        super().pause()
        self.spent += time.thread_time() - start


def waiting(machine: Machine, seconds: float) -> float:
    """Return the share of a core that a meter's `with` statement takes while nothing runs."""
    with EnergyMeter(gpus=False, machine=machine):
        start = time.process_time()
        time.sleep(seconds)
        used = time.process_time() - start
    return used / seconds


if __name__ == "__main__":
    main()
