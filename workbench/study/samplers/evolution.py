"""Evolution of the Pareto set: NSGA-II (Deb et al. 2002, IEEE Trans. Evol. Comput. 6:182)."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.recipe import Recipe
from workbench.study.front import undominated
from workbench.study.samplers.space_filling import sobol
from workbench.study.space import Position, Space
from workbench.study.trial import Trial

if TYPE_CHECKING:
    from workbench.study.study import Study

POPULATION = 24
"""Recipes of the Sobol sequence that it begins with, and parents of later recipes."""
MAX_TRIES = 200
"""Attempts to make a recipe that is new."""
LONG_STEP = 0.25
"""The probability that a mutation takes a random value instead of the next one."""


def evolution(model: Model, study: Study, trials: Sequence[Trial], count: int) -> list[Recipe]:
    """Return recipes that combine and change good ones, by rank and crowding distance.

    It uses the first estimate of trials that were not evaluated in full, because this does not
    depend on the order in which the others ended.
    """
    if len(trials) < POPULATION:
        return sobol(model, study, trials, min(count, POPULATION - len(trials)))
    random = np.random.default_rng([study.seed, len(trials)])
    parents = _parents(trials, model.task.metric, study.objectives)
    positions = [study.space.position(trial.recipe) for trial in parents]
    known = {trial.recipe for trial in trials}
    chosen: dict[Recipe, None] = {}
    for _ in range(MAX_TRIES):
        # parents are ordered, so the smaller of two random numbers is a tournament
        first, second = (positions[min(random.integers(len(positions), size=2))] for _ in "ab")
        recipe = study.space.recipe(_child(study.space, first, second, random))
        if recipe is not None and recipe not in known:
            chosen[recipe] = None
        if len(chosen) == count:
            return list(chosen)
    remaining = sobol(model, study, trials, count + len(chosen))
    return list(dict.fromkeys([*chosen, *remaining]))[:count]


def _parents(trials: Sequence[Trial], metric: Metric, objectives: Sequence[str]) -> list[Trial]:
    """Return the best trials, first by rank, then by crowding distance."""
    points = [_point(trial, metric, objectives) for trial in trials]
    chosen: list[int] = []
    remaining = [index for index, point in enumerate(points) if all(map(isfinite, point))]
    while remaining and len(chosen) < POPULATION:
        rank = [remaining[i] for i in undominated([points[index] for index in remaining])]
        distances = _crowding(np.array([points[index] for index in rank]))
        chosen += [rank[index] for index in np.argsort(-distances, kind="stable")]
        ranked = set(rank)
        remaining = [index for index in remaining if index not in ranked]
    return [trials[index] for index in chosen[:POPULATION]] or list(trials[:POPULATION])


def _point(trial: Trial, metric: Metric, objectives: Sequence[str]) -> tuple[float, ...]:
    """Return numbers to minimize: the logarithms of the costs, and the metric."""
    value = trial.value if trial.exact else trial.first
    costs = trial.amounts(objectives) or (inf,) * len(objectives)
    return (*map(log, costs), -metric.sort_key(value))


def _crowding(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the crowding distance of each point of a front."""
    distances = np.zeros(len(points))
    for values in points.T:
        order = np.argsort(values, kind="stable")
        distances[order[[0, -1]]] = inf
        span = values[order[-1]] - values[order[0]]
        distances[order[1:-1]] += (values[order[2:]] - values[order[:-2]]) / (span or 1.0)
    return distances


def _child(
    space: Space, first: Position, second: Position, random: np.random.Generator
) -> Position:
    """Return a position that takes each axis from one parent, with a mutation of one or more."""
    child = [int(pair[random.integers(2)]) for pair in zip(first, second, strict=True)]
    lengths = [len(values) for values in space.axes.values()]
    mutated = random.random(len(child)) < 1 / len(child)
    mutated[random.integers(len(child))] = True
    for axis in np.flatnonzero(mutated):
        if random.random() < LONG_STEP:
            child[axis] = int(random.integers(lengths[axis]))
        else:
            step = 1 if random.random() < 0.5 else -1
            child[axis] = min(max(child[axis] + step, 0), lengths[axis] - 1)
    return tuple(child)
