"""Plans as results: what a job needs, how long it takes, and from which measured rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.display import Displayable
from workbench.errors import InputError
from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.intervals import Interval
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import Row
from workbench.planner.memory import Memory
from workbench.planner.times import Seconds

MILLI = 1000
HOUR, DAY = 3600, 86400


@dataclass(frozen=True, repr=False)
class TrainingPlan(Displayable):
    """What a training step needs on each chip, how long it takes, and its energy.

    `fits` is None if the answer is within the prediction's error.
    """

    _plots: ClassVar[str] = "plan"

    architecture: Architecture
    chip: Chip
    job: TrainingJob
    memory: Memory
    fits: bool | None
    seconds: Seconds
    interval: Interval
    watts: float | None

    @property
    def tokens_per_s(self) -> float:
        """Tokens per second of all chips."""
        return self.job.tokens_per_step / self.seconds.total

    @property
    def joules(self) -> float | None:
        """Joules per step of all chips, or None if the chip's power is not published."""
        return None if self.watts is None else self.watts * self.seconds.total * self.job.chips

    @property
    def is_calibrated(self) -> bool:
        """Whether rows of this chip were fitted."""
        return self.seconds.is_calibrated

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data; times in milliseconds, memory in GiB per chip."""
        job = self.job
        return {
            "kind": "train",
            "family": self.architecture.family,
            "parameters": self.architecture.parameters,
            "chip": self.chip.id,
            "chips": job.chips,
            "layout": layout(job),
            "fits": self.fits,
            "memory_gib": self.memory.gib(),
            "usable_gib": self.chip.usable / 2**30,
            "step_ms": self.seconds.total * MILLI,
            "step_ms_low": self.interval.low * MILLI,
            "step_ms_high": self.interval.high * MILLI,
            "tokens_per_s": self.tokens_per_s,
            "watts": self.watts,
            "joules_per_step": self.joules,
            "calibrated": self.is_calibrated,
            "nearest_rows": [describe(row) for row in self.interval.rows],
        }

    def complete(self, tokens: float, price: float | None = None) -> dict[str, float | None]:
        """Return what a training on `tokens` costs.

        Parameters
        ----------
        tokens
            Tokens in all.
        price
            Money per chip and hour.

        Raises
        ------
        InputError
            If either is not a number above 0, or 0 for the price.
        """
        if not (0 < tokens < math.inf and 0 <= (price or 0) < math.inf):
            raise InputError("tokens and price must be numbers above 0.", code="plan.size")
        seconds = tokens / self.tokens_per_s
        steps = tokens / self.job.tokens_per_step
        hours = seconds / HOUR * self.job.chips
        low, high = (
            bound / self.seconds.total for bound in (self.interval.low, self.interval.high)
        )
        return {
            "days": seconds / DAY,
            "days_low": seconds / DAY * low,
            "days_high": seconds / DAY * high,
            "chip_hours": hours,
            "kwh": None if self.joules is None else self.joules * steps / 3.6e6,
            "money": None if price is None else price * hours,
        }

    def __repr__(self) -> str:
        return f"TrainingPlan({self.chip.id}, fits={self.fits}, step={self.seconds.total:.4g} s)"


@dataclass(frozen=True, repr=False)
class InferencePlan(Displayable):
    """What generating text needs on a chip, and how long reading and each token take."""

    _plots: ClassVar[str] = "plan"

    architecture: Architecture
    chip: Chip
    job: InferenceJob
    memory: Memory
    fits: bool | None
    prefill: Seconds
    decode: Seconds
    prefill_interval: Interval
    decode_interval: Interval

    @property
    def is_calibrated(self) -> bool:
        """Whether rows of this chip were fitted."""
        return self.decode.is_calibrated

    @property
    def tokens_per_s(self) -> float:
        """Generated tokens per second of the batch."""
        return self.job.batch / self.decode.total

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data; times in milliseconds, memory in GiB per chip."""
        times: dict[str, float] = {}
        for name, seconds, bounds in (
            ("prefill", self.prefill, self.prefill_interval),
            ("decode", self.decode, self.decode_interval),
        ):
            times[f"{name}_ms"] = seconds.total * MILLI
            times[f"{name}_ms_low"] = bounds.low * MILLI
            times[f"{name}_ms_high"] = bounds.high * MILLI
        return {
            "kind": "infer",
            "family": self.architecture.family,
            "parameters": self.architecture.parameters,
            "chip": self.chip.id,
            "chips": self.job.tensor,
            "fits": self.fits,
            "memory_gib": self.memory.gib(),
            "usable_gib": self.chip.usable / 2**30,
            **times,
            "tokens_per_s": self.tokens_per_s,
            "calibrated": self.is_calibrated,
            "nearest_rows": [describe(row) for row in self.decode_interval.rows],
        }

    def __repr__(self) -> str:
        return f"InferencePlan({self.chip.id}, fits={self.fits}, token={self.decode.total:.4g} s)"


def layout(job: TrainingJob) -> dict[str, int | str]:
    """Return how a job is divided, with what else a step consists of."""
    return {
        "data": job.data,
        "shard": job.shard,
        "tensor": job.tensor,
        "pipeline": job.pipeline,
        "expert": job.expert,
        "accumulation": job.accumulation,
        "checkpointing": job.checkpointing,
    }


def describe(row: Row) -> dict[str, Any]:
    """Return a measured row as JSON data."""
    return {
        "row": row.label,
        "measured": row.measured,
        "source": row.source,
        "url": row.url,
        "date": row.date,
    }
