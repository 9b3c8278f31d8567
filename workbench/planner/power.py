"""Power as a function of what a chip does: each kind of work draws a share above idle."""

from __future__ import annotations

from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.coefficients import table
from workbench.planner.jobs import TrainingJob
from workbench.planner.times import Seconds, step_seconds

KINDS = ("products", "memory", "kernels", "waiting")
ARITHMETIC = frozenset({"products", "attention"})
STARTING = frozenset({"kernels"})
IDLE = frozenset({"waiting", "inner", "outer", "exposed"})
"""Waiting for other chips or for Python; links draw little."""
ERROR = 0.05
"""Relative error of power within which 80 % of the measured rows stay."""
LIMIT = 1.03
"""Measured power may exceed a chip's nominal power a little."""


def fractions(seconds: Seconds) -> tuple[float, ...]:
    """Return the fractions of the time of each of `KINDS`."""
    sums = dict.fromkeys(KINDS, 0.0)
    for name, part in seconds.parts.items():
        if name in ARITHMETIC:
            sums["products"] += part
        elif name in STARTING:
            sums["kernels"] += part
        elif name in IDLE:
            sums["waiting"] += part
        else:
            sums["memory"] += part
    total = sum(sums.values())
    return tuple(sums[name] / total for name in KINDS)


def shares(architecture: Architecture, job: TrainingJob, chip: Chip) -> tuple[float, ...]:
    """Return the fractions of the time of a training step."""
    return fractions(step_seconds(architecture, job, chip))


def watts(seconds: Seconds, chip: Chip) -> float | None:
    """Return the mean power, or None if the chip's power is not published."""
    if chip.power is None:
        return None
    used: float = sum(
        table()["power"][name] * part for name, part in zip(KINDS, fractions(seconds), strict=True)
    )
    return min(chip.idle + (chip.power - chip.idle) * used, chip.power * LIMIT)
