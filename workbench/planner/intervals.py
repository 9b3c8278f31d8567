"""80 % intervals of a prediction, from the residuals of the most similar measured rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2

from workbench.planner.architecture import Architecture
from workbench.planner.coefficients import table
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import Row

NEIGHBORS = 14
QUANTILE = 0.85
"""Of the errors of the neighbors, for intervals of 80 %: rows of one program err together."""
LEAST = 0.03
"""Half-width that no interval falls below: repeated steps differ by 2 to 3 %."""
UNCALIBRATED = (2.5, 0.2)
"""Factor and addition to the half-width on a chip without measured rows."""
FAR = 4.0
"""Distance from which on a job differs from all rows; the interval widens with it."""


@dataclass(frozen=True)
class Interval:
    """Bounds of a prediction in seconds and the rows that they come from."""

    low: float
    high: float
    rows: tuple[Row, ...]
    half_width: float


def interval(
    seconds: float,
    architecture: Architecture,
    job: TrainingJob | InferenceJob,
    chip: str,
    rows: Sequence[Row],
    stack: str,
    is_calibrated: bool,
    least: float = LEAST,
) -> Interval:
    """Return an 80 % interval around predicted seconds.

    The half-width is the quantile of the relative errors that the nearest rows have when they are
    not fitted (split conformal prediction; Lei et al., arXiv 1604.04173).

    Parameters
    ----------
    seconds
        The prediction.
    architecture, job, chip
        What was predicted.
    rows, stack
        The measured rows and whose residuals they have: `pytorch`, `sharded`, `decode` or
        `prefill`.
    is_calibrated
        Whether rows of this chip were fitted.
    least
        Half-width that the interval does not fall below.
    """
    residuals = table()["residuals"][stack]
    ranked = sorted(
        ((distance(architecture, job, chip, row), row) for row in rows if row.id in residuals),
        key=lambda pair: (pair[0], pair[1].id),
    )[:NEIGHBORS]
    errors = sorted(abs(residuals[row.id]) for _, row in ranked)
    place = min(ceil(QUANTILE * (len(errors) + 1)), len(errors))
    widened = errors[place - 1] * max(1.0, ranked[0][0] / FAR)
    half = max(widened, LEAST, least)
    if not is_calibrated:
        factor, added = UNCALIBRATED
        half = factor * half + added
    return Interval(
        seconds / (1 + half), seconds * (1 + half), tuple(row for _, row in ranked[:5]), half
    )


def distance(
    architecture: Architecture, job: TrainingJob | InferenceJob, chip: str, row: Row
) -> float:
    """Return how much a job differs from a row, in doublings of its sizes."""
    size = abs(log2(architecture.active_parameters / row.architecture.active_parameters))
    apart = size + (0.0 if row.chip == chip else 1.0)
    other = row.job
    if isinstance(job, InferenceJob) and isinstance(other, InferenceJob):
        apart += 0.5 * abs(log2(job.batch / other.batch)) + 0.5 * abs(
            log2(job.context / other.context)
        )
        return apart + (0.0 if job.precision == other.precision else 2.0)
    if isinstance(job, TrainingJob) and isinstance(other, TrainingJob):
        apart += 0.5 * abs(log2(job.tokens / other.tokens))
        apart += 0.5 * abs(log2(job.sequence / other.sequence))
        apart += 0.5 * abs(log2(job.chips / other.chips))
        apart += 4.0 * (job.adapter_rank > 0) + 4.0 * (job.expert > 1)  # no row has these
        apart += 1.0 * (job.checkpointing != other.checkpointing)
        apart += 2.0 * (job.precision != other.precision) + 2.0 * (job.attention != other.attention)
    return apart
