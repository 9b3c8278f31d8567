"""Hypervolume: how much of the trade-off of size and metric the front of a study covers."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10

from workbench.domain.metric import Metric
from workbench.study.trial import Trial, pareto_front


def hypervolume(
    trials: Sequence[Trial], metric: Metric, original_bytes: int, worst: float
) -> float:
    """Return the area that the front dominates: decades of bytes times the metric.

    Zitzler and Thiele, IEEE Trans. Evol. Comput. 3:257 (1999).

    Parameters
    ----------
    trials
        Those that are not exact are ignored.
    metric
        Of the task.
    original_bytes, worst
        The reference point: files as large, or values as bad, add nothing.
    """
    steps = [
        (log10(trial.bytes), abs(trial.value - worst))
        for trial in pareto_front(trials, metric)
        if trial.value is not None
        and isfinite(trial.value)
        and trial.bytes < original_bytes
        and metric.better(trial.value, worst)
    ]
    ends = [size for size, _height in steps[1:]] + [log10(original_bytes)]
    return sum((end - size) * height for (size, height), end in zip(steps, ends, strict=False))


def hypervolumes(
    trials: Sequence[Trial], metric: Metric, original_bytes: int, worst: float
) -> list[float]:
    """Return the hypervolume after each trial."""
    front: list[Trial] = []
    areas: list[float] = []
    for trial in trials:
        if trial.exact:
            front = pareto_front([*front, trial], metric)
        unchanged = bool(areas) and not any(member is trial for member in front)
        areas.append(areas[-1] if unchanged else hypervolume(front, metric, original_bytes, worst))
    return areas
