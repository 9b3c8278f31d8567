"""Hypervolume: how much of the trade-off of costs and metric the front of a study covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from workbench.domain.metric import Metric
from workbench.study.front import Point, no_larger, undominated
from workbench.study.trial import Trial

Array = NDArray[np.float64]


def hypervolume(
    trials: Sequence[Trial], metric: Metric, largest: Mapping[str, float], worst: float
) -> float:
    """Return the volume that the front dominates: decades of each cost times the metric.

    It is exact for any number of objectives. Zitzler and Thiele, IEEE Trans. Evol. Comput. 3:257
    (1999); by slices of one objective after the other, While et al., ibid. 10:29 (2006).

    Parameters
    ----------
    trials
        Those that are not exact, or whose costs are not all measured, are ignored.
    metric
        Of the task.
    largest, worst
        The reference point, the costs by objective: trials with costs as large, or values as bad,
        add nothing.
    """
    points = [p for trial in trials if (p := _point(trial, metric, tuple(largest), worst))]
    front = [points[index] for index in undominated(points)]
    return _volume(front, [log10(amount) for amount in largest.values()])


def hypervolumes(
    trials: Sequence[Trial], metric: Metric, largest: Mapping[str, float], worst: float
) -> list[float]:
    """Return the hypervolume after each trial."""
    objectives, limits = tuple(largest), [log10(amount) for amount in largest.values()]
    front: list[Point] = []
    volumes: list[float] = []
    volume = 0.0
    for trial in trials:
        point = _point(trial, metric, objectives, worst)
        if point and not any(no_larger(other, point) for other in front):
            front = [*(other for other in front if not no_larger(point, other)), point]
            volume = _volume(front, limits)
        volumes.append(volume)
    return volumes


def _point(trial: Trial, metric: Metric, objectives: Sequence[str], worst: float) -> Point:
    """Return the logarithms of the costs and the negative height above `worst`; () if it has none.

    All coordinates are better if they are smaller.
    """
    value = trial.value
    if not trial.exact or value is None or not isfinite(value) or not metric.better(value, worst):
        return ()
    amounts = trial.amounts(objectives)
    return (*map(log10, amounts), -abs(value - worst)) if amounts else ()


def _volume(points: Sequence[Point], limits: Sequence[float]) -> float:
    """Return the volume of the union of boxes from each point to the limits and a height of 0."""
    total, depth = 0.0, 0.0
    ordered, lower = sorted(points), list[Point]()
    ends = [*(point[0] for point in ordered[1:]), limits[0]]
    for point, end in zip(ordered, ends, strict=False):
        lower.append(point[1:])
        depth = min(depth, point[-1])
        width = min(end, limits[0]) - point[0]
        if width > 0:
            total += width * (-depth if len(limits) == 1 else _volume(lower, limits[1:]))
    return total


def gains(
    points: Sequence[Point], costs: Array, values: Array, limits: Sequence[float], worst: float
) -> Array:
    """Return what each of n points would add to the volume that others dominate.

    Parameters
    ----------
    points
        The others: their costs, and last the value, which is better if it is larger.
    costs, values
        The costs, [n, number of costs], and several predictions of the value, [predictions, n].
    limits, worst
        The reference point.

    Returns
    -------
    Array
        Of the shape of `values`.
    """
    if len(limits) == 1:
        return _gains_over_one(points, costs[:, 0], values, limits[0], worst)
    total, ordered = np.zeros(values.shape), sorted(points)
    edges = [-inf, *(min(point[0], limits[0]) for point in ordered), limits[0]]
    for count, (start, end) in enumerate(pairwise(edges)):
        width = np.clip(end - np.maximum(costs[:, 0], start), 0, None)
        if width.any():
            lower = [point[1:] for point in ordered[:count]]
            total += width * gains(lower, costs[:, 1:], values, limits[1:], worst)
    return total


def _gains_over_one(
    points: Sequence[Point], costs: Array, values: Array, limit: float, worst: float
) -> Array:
    start, height, total = -inf, worst, np.zeros(values.shape)
    for cost, value in [*sorted(points, key=lambda point: (point[0], -point[1])), (limit, inf)]:
        if value <= height:
            continue
        width = np.clip(min(cost, limit) - np.maximum(costs, start), 0, None)
        total += width * np.clip(values - height, 0, None)
        start, height = cost, value
    return total
