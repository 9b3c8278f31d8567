"""Plans as results: what a job needs, how long it takes, and from which measured rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.display import Displayable
from workbench.errors import InputError
from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.estimate import Estimate, named
from workbench.planner.intervals import Interval
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import Row
from workbench.planner.memory import Memory
from workbench.planner.power import (
    DECODE_ERROR,
    OTHER_ERROR,
    TRAINING_ERROR,
    decode_watts,
    power_error,
    watts,
)
from workbench.planner.times import Seconds

MILLI, MILLION = 1000, 1e6
HOUR, DAY, JOULES_PER_KWH = 3600, 86400, 3.6e6


@dataclass(frozen=True, repr=False)
class TrainingPlan(Displayable):
    """What a training step needs on each chip, how long it takes, and its energy.

    Attributes
    ----------
    architecture : Architecture
        The network.
    chip : Chip
        The kind of chip.
    job : TrainingJob
        The step: its tokens, precision and layout on the chips.
    memory : Memory
        Predicted bytes of each chip, by purpose.
    fits : bool or None
        Whether they fit; None if the answer is within the prediction's error.
    seconds : Seconds
        Predicted time of a step, by kind of work.
    interval : Interval
        Of that time.
    watts : float or None
        Power of a chip during the step; None if it is not published.
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
    def step(self) -> Estimate:
        """Seconds per step."""
        return Estimate(self.seconds.total, self.interval.low, self.interval.high)

    @property
    def throughput(self) -> Estimate:
        """Tokens per second of all chips."""
        return self.step.inverse(self.job.tokens_per_step)

    @property
    def tokens_per_s(self) -> float:
        """Tokens per second of all chips."""
        return self.throughput.value

    @property
    def energy(self) -> Estimate | None:
        """Joules per step of all chips, or None if the chip's power is not published."""
        if self.watts is None:
            return None
        error = power_error(self.chip, TRAINING_ERROR)
        return self.step.times(self.watts * self.job.chips).widened(error)

    @property
    def joules(self) -> float | None:
        """Joules per step of all chips, or None if the chip's power is not published."""
        return self.energy.value if self.energy else None

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
            **self.step.times(MILLI).as_dict("step_ms"),
            **self.throughput.as_dict("tokens_per_s"),
            "watts": self.watts,
            **named(self.energy, "joules_per_step"),
            "calibrated": self.is_calibrated,
            "nearest_rows": [describe(row) for row in self.interval.rows],
        }

    def costs(self, tokens: float, price: float | None = None) -> dict[str, Estimate | None]:
        """Return the days, chip hours, kWh and money of a training on `tokens`.

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
        check_amount(tokens, "tokens")
        check_price(price)
        seconds = self.throughput.inverse(tokens)
        steps = tokens / self.job.tokens_per_step
        hours = seconds.times(self.job.chips / HOUR)
        return {
            "days": seconds.times(1 / DAY),
            "chip_hours": hours,
            "kwh": self.energy.times(steps / JOULES_PER_KWH) if self.energy else None,
            "money": None if price is None else hours.times(price),
        }

    def costs_as_dict(self, tokens: float, price: float | None = None) -> dict[str, float | None]:
        """Return `costs` as JSON data, with `_low` and `_high` of each number."""
        numbers: dict[str, float | None] = {}
        for name, estimate in self.costs(tokens, price).items():
            numbers |= named(estimate, name)
        return numbers

    def __repr__(self) -> str:
        return f"TrainingPlan({self.chip.id}, fits={self.fits}, step={self.seconds.total:.4g} s)"


@dataclass(frozen=True, repr=False)
class InferencePlan(Displayable):
    """What generating text needs on a chip, and how long reading and each token take.

    Attributes
    ----------
    architecture : Architecture
        The network.
    chip : Chip
        The kind of chip.
    job : InferenceJob
        The sequences, their tokens and the precision.
    memory : Memory
        Predicted bytes of each chip, by purpose.
    fits : bool or None
        Whether they fit; None if the answer is within the prediction's error.
    prefill, decode : Seconds
        Predicted time to read all contexts of the batch, and to generate one token of each
        sequence, by kind of work.
    prefill_interval, decode_interval : Interval
        Of these times.
    """

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
    def reading(self) -> Estimate:
        """Seconds to read all contexts of the batch."""
        return Estimate(self.prefill.total, self.prefill_interval.low, self.prefill_interval.high)

    @property
    def token(self) -> Estimate:
        """Seconds per token of the batch."""
        return Estimate(self.decode.total, self.decode_interval.low, self.decode_interval.high)

    @property
    def throughput(self) -> Estimate:
        """Generated tokens per second of the batch."""
        return self.token.inverse(self.job.batch)

    @property
    def tokens_per_s(self) -> float:
        """Generated tokens per second of the batch."""
        return self.throughput.value

    @property
    def watts(self) -> float | None:
        """Mean watts of a chip that generates text, or None if its power is not published."""
        return decode_watts(self.architecture, self.job, self.chip, self.decode)

    @property
    def energy(self) -> Estimate | None:
        """Joules of all chips per generated token, or None if their power is not published."""
        power, chips = self.watts, self.job.tensor
        if power is None:
            return None
        error = power_error(self.chip, DECODE_ERROR)
        return self.token.times(power * chips / self.job.batch).widened(error)

    def money_per_million(self, price: float) -> Estimate:
        """Return the money for a million generated tokens at a price per chip and hour.

        Raises
        ------
        InputError
            If the price is not a number of at least 0.
        """
        check_price(price)
        return self.token.times(price * self.job.tensor / HOUR * MILLION / self.job.batch)

    @property
    def reading_energy(self) -> Estimate | None:
        """Joules of all chips to read all contexts, or None if their power is not published."""
        power = watts(self.prefill, self.chip)
        return self.reading.times(power * self.job.tensor).widened(OTHER_ERROR) if power else None

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data; times in milliseconds, memory in GiB per chip."""
        return {
            "kind": "infer",
            "family": self.architecture.family,
            "parameters": self.architecture.parameters,
            "chip": self.chip.id,
            "chips": self.job.tensor,
            "fits": self.fits,
            "memory_gib": self.memory.gib(),
            "usable_gib": self.chip.usable / 2**30,
            **self.reading.times(MILLI).as_dict("prefill_ms"),
            **self.token.times(MILLI).as_dict("decode_ms"),
            **self.throughput.as_dict("tokens_per_s"),
            "watts": self.watts,
            **named(self.energy, "joules_per_token"),
            **named(self.reading_energy, "prefill_joules"),
            "calibrated": self.is_calibrated,
            "nearest_rows": [describe(row) for row in self.decode_interval.rows],
        }

    def __repr__(self) -> str:
        return f"InferencePlan({self.chip.id}, fits={self.fits}, token={self.decode.total:.4g} s)"


def check_amount(value: float, name: str) -> None:
    """Raise `InputError` unless a number is above 0 and finite."""
    if not 0 < value < math.inf:
        raise InputError(f"{name} must be a number above 0, not {value:g}.", code="plan.size")


def check_price(price: float | None) -> None:
    """Raise `InputError` unless a price is at least 0 and finite, or None."""
    if price is not None and not 0 <= price < math.inf:
        raise InputError(f"price must be a number of at least 0, not {price:g}.", code="plan.size")


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
