"""The front of a study: the recipes that no other dominates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import le, mul

from workbench.domain.metric import Metric
from workbench.study.objectives import BYTES, DEFAULT
from workbench.study.trial import Trial

Point = tuple[float, ...]

NOISE = 0.1
"""Times, and energies, count as equal up to this relative difference, by which two
measurements of the same network may differ."""


def pareto_front(
    trials: Iterable[Trial],
    metric: Metric,
    objectives: Sequence[str] = DEFAULT,
    *,
    noise: float = NOISE,
) -> list[Trial]:
    """Return the exact trials that no other dominates, those with the least cost first.

    A trial dominates another if its metric is at least as good and none of its costs is larger.
    Bytes are compared exactly. A time or an energy counts as no larger than another if it is so by
    at most `noise`, so that of two networks that compute the same, the more accurate one stays,
    and not the one that was faster by chance. Such a relation is not transitive; therefore trials
    are taken in the order of their metric, the best first, and each is compared with those that
    are on the front already. Thus for each trial that is left out, the front has one that is at
    least as good and costs at most `noise` more.

    Of several with equal costs and value, the first is returned.

    Parameters
    ----------
    trials
        All trials; those that are not exact, or whose costs are not all measured, are ignored.
    metric
        Of the task.
    objectives
        The costs, as names of `workbench.study.objectives.OBJECTIVES`.
    noise
        A relative difference of times, and of energies.
    """
    rated = [(t, amounts) for t in trials if t.exact and (amounts := t.amounts(objectives))]
    points = [(-metric.sort_key(trial.value), *amounts) for trial, amounts in rated]
    factors = [1, *(1 if name == BYTES else 1 + noise for name in objectives)]
    exactly = set(factors) == {1}
    front = [rated[index] for index in undominated(points, () if exactly else factors)]
    return [trial for trial, _amounts in sorted(front, key=lambda pair: pair[1])]


def undominated(points: Sequence[Point], factors: Sequence[float] = ()) -> list[int]:
    """Return the indices of the points that no other dominates, sorted by their coordinates.

    Of equal points, the first is returned.

    Parameters
    ----------
    points
        Smaller coordinates are better.
    factors
        How many times larger the coordinates of a point may be that dominates another; 1 each by
        default.
    """
    front: list[int] = []
    for index in sorted(range(len(points)), key=points.__getitem__):
        point = points[index]
        most = tuple(map(mul, point, factors)) if factors else point
        # Of two coordinates, the last point has the smallest second one, so that it decides.
        others = front[-1:] if len(point) == 2 else front
        if not any(no_larger(points[other], most) for other in others):
            front.append(index)
    return front


def no_larger(point: Point, other: Point) -> bool:
    """Return whether no coordinate of a point is larger than that of another."""
    return all(map(le, point, other))
