"""Power as a function of what a chip does: each kind of work draws a share above idle."""

from __future__ import annotations

from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.coefficients import is_fitted, table
from workbench.planner.inference_work import decode_flops
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.times import Seconds, step_seconds

KINDS = ("products", "memory", "kernels", "waiting")
ARITHMETIC = frozenset({"products", "attention"})
STARTING = frozenset({"kernels"})
IDLE = frozenset({"waiting", "inner", "outer", "exposed"})
"""Waiting for other chips or for Python; links draw little."""
TRAINING_ERROR, DECODE_ERROR, OTHER_ERROR = 0.05, 0.2, 0.25
"""Relative errors of power: 80 % of the measured rows of training and of generating text stay
within the first two. The third, for reading a context and for chips without measured power, is an
assumption."""
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
    used: float = sum(
        table()["power"][name] * part for name, part in zip(KINDS, fractions(seconds), strict=True)
    )
    return _above_idle(used, chip)


def decode_busy(
    architecture: Architecture, job: InferenceJob, chip: Chip, seconds: Seconds
) -> dict[str, float]:
    """Return the seconds of a token's reads and of its products, which overlap."""
    read = seconds.parts["weights"] + seconds.parts["cache"]
    flops = decode_flops(architecture, job)
    return {"reads": read, "products": flops / chip.rate(job.bytes.rate) / job.tensor}


def decode_watts(
    architecture: Architecture, job: InferenceJob, chip: Chip, seconds: Seconds
) -> float | None:
    """Return the mean power of generating text, or None if the chip's power is not published.

    The share of reads was fitted on measured steps of a token; that of products is the one of
    training.
    """
    busy = decode_busy(architecture, job, chip, seconds)
    shares = {"reads": table()["power"]["reads"], "products": table()["power"]["products"]}
    used = sum(shares[name] * part for name, part in busy.items()) / seconds.total
    return _above_idle(used, chip)


def power_error(chip: Chip, measured: float) -> float:
    """Return the relative error of power: `measured` on a chip whose power we have measured."""
    return measured if is_fitted("pytorch", chip.id) else OTHER_ERROR


def _above_idle(used: float, chip: Chip) -> float | None:
    if chip.power is None:
        return None
    return min(chip.idle + (chip.power - chip.idle) * used, chip.power * LIMIT)
