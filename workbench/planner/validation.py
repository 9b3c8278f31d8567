"""Compare predictions by the same code with every measured row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import mean
from typing import ClassVar

from workbench.display import Displayable
from workbench.planner.chips import chip
from workbench.planner.coefficients import table
from workbench.planner.compared import Compared
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import Row, inference_rows, training_rows
from workbench.planner.memory import GIB
from workbench.planner.memory_rows import litgpt_rows
from workbench.planner.plan import infer_plan, train_plan
from workbench.planner.published import published_rows
from workbench.planner.results import InferencePlan
from workbench.planner.times import Seconds, step_seconds

KINDS = (
    "step time",
    "peak memory",
    "energy",
    "time per token",
    "energy per token",
    "time to read",
    "reserved memory",
    "published memory",
    "state memory",
    "activations",
    "operations per token",
)
MILLI = 1000


@dataclass(frozen=True, repr=False)
class Validation(Displayable):
    """All rows with their predictions."""

    _plots: ClassVar[str] = "plan_validation"

    rows: tuple[Compared, ...]

    def of(self, kind: str, *, is_fitted: bool | None = None) -> list[Compared]:
        """Return the rows of a kind, or only those that a fit has used or not."""
        return [row for row in self.rows if row.kind == kind and is_fitted in {None, row.is_fitted}]

    @property
    def kinds(self) -> list[str]:
        """The kinds in order."""
        return list(dict.fromkeys(row.kind for row in self.rows))

    def mean_error(self, kind: str, *, is_fitted: bool | None = None) -> float:
        """Return the mean of the absolute relative errors."""
        return mean(abs(row.error) for row in self.of(kind, is_fitted=is_fitted))

    def __repr__(self) -> str:
        return f"Validation({len(self.rows)} rows)"


@lru_cache(maxsize=1)
def plan_validation() -> Validation:
    """Return the predictions for all measured rows of the package."""
    return Validation((*_training(), *_inference(), *published_rows(), *litgpt_rows()))


def _training() -> Iterator[Compared]:
    for row in training_rows():
        if not isinstance(row.job, TrainingJob):
            continue
        where = chip(row.chip)
        timed = row_seconds(row)
        yield _of(row, "step time", timed.total * MILLI, row.measured["step_ms"], "ms")
        if "peak_gib" in row.measured:
            planned = train_plan(row.architecture, where, row.job)
            used, peak = planned.memory.total / GIB, row.measured["peak_gib"]
            yield _of(row, "peak memory", used, peak, "GiB", is_fitted=False)
            yield _of(row, "energy", planned.joules or 0, row.measured["joules"], "J")


def row_seconds(row: Row) -> Seconds:
    """Return the predicted seconds of a measured training step."""
    job, where = row.job, chip(row.chip)
    assert isinstance(job, TrainingJob)
    return step_seconds(row.architecture, job, where, row.microbatches, row.reduced, row.program)


def _inference() -> Iterator[Compared]:
    for row in inference_rows():
        if not isinstance(row.job, InferenceJob):
            continue
        planned = infer_plan(row.architecture, chip(row.chip), row.job)
        token, reading = planned.decode.total * MILLI, planned.prefill.total * MILLI
        yield _of(row, "time per token", token, row.measured["decode_ms"], "ms")
        yield _of(row, "time to read", reading, row.measured["prefill_ms"], "ms")
        yield _token_energy(row, planned)
        if "peak_gib" in row.measured:
            used = planned.memory.total / GIB
            yield _of(row, "peak memory", used, row.measured["peak_gib"], "GiB")


def _token_energy(row: Row, planned: InferencePlan) -> Compared:
    """Return the joules of a step while Python starts each kernel, which takes most of the time.

    That time is the measured one; the energy of the step itself and of waiting are predicted.
    """
    where, measured = planned.chip, row.measured
    assert planned.watts is not None
    assert where.power is not None
    eager, graph = measured["eager_ms"] / MILLI, planned.decode.total
    waiting = where.idle + table()["power"]["between"] * (where.power - where.idle)
    predicted = planned.watts * graph + waiting * (eager - graph)
    return _of(row, "energy per token", predicted, measured["eager_watts"] * eager, "J")


def _of(
    row: Row,
    kind: str,
    predicted: float,
    measured: float,
    unit: str,
    *,
    is_fitted: bool = True,
) -> Compared:
    used = row.is_fitted and is_fitted
    return Compared(
        kind, row.label, row.chip, predicted, measured, unit, used, row.source, row.url, row.date
    )
