"""Expected hypervolume improvement, predicted by trees that were fitted to the trials so far."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.recipe import Recipe
from workbench.study.expected_bytes import expected_bytes
from workbench.study.measurement import SPLIT
from workbench.study.samplers.evolution import evolution
from workbench.study.samplers.space_filling import sobol
from workbench.study.trial import Trial, pareto_front

if TYPE_CHECKING:
    from workbench.study.study import Study

Array = NDArray[np.float64]

FIRST = 8
"""Recipes of the Sobol sequence that it begins with."""
TREES = 30
MAX_FITTED = 400
"""Trees are fitted to this many trials at most, the latest."""
MAX_POOL = 1000
"""In a larger space, only some recipes are considered: `CHILDREN` and `RANDOM` of them."""
CHILDREN, RANDOM = 40, 20


def surrogate(model: Model, study: Study, trials: Sequence[Trial], count: int) -> list[Recipe]:
    """Return the recipes that are expected to add most to the hypervolume.

    Extremely randomized trees (Geurts et al. 2006, Machine Learning 63:3) predict bytes and metric
    of each recipe of the space. What a recipe adds to the area that the front dominates is averaged
    over the trees, whose differences stand for the uncertainty (expected hypervolume improvement,
    Emmerich et al. 2006, IEEE Trans. Evol. Comput. 10:421). Recipes of a round are chosen one after
    the other, as if the predictions for the earlier ones were true.

    Trees do not depend on the number of threads, so a study that is continued elsewhere proposes
    the same recipes.
    """
    metric = model.task.metric
    fitted = [t for t in trials if t.bytes and t.first is not None and isfinite(t.first)]
    if len(fitted) < FIRST:
        return sobol(model, study, trials, min(count, FIRST - len(fitted)))
    pool = _pool(model, study, trials)
    if not pool:
        return []
    front = pareto_front(fitted, metric)
    original = model.metric_value(SPLIT)
    values = np.array([_value(trial, front, metric) for trial in fitted])
    worst = float(values.min())
    if not metric.is_fraction:  # one bad value would outweigh all differences of the good ones
        worst = max(worst, metric.sort_key(original) - abs(original))
    values = np.maximum(values, worst)
    sizes, predicted = _predictions(model, study, fitted, values, pool, len(trials))
    limit = log10(min(model.original_bytes, study.max_bytes or model.original_bytes))
    points = [(log10(t.bytes), metric.sort_key(t.value)) for t in front]
    chosen: list[int] = []
    for _ in range(min(count, len(pool))):
        gains = _gains(points, sizes, predicted, (limit, worst)).mean(axis=0)
        gains[chosen] = -1.0
        best = int(gains.argmax())
        chosen.append(best)
        points.append((float(sizes[best]), float(predicted[:, best].mean())))
    return [pool[index] for index in chosen]


def _pool(model: Model, study: Study, trials: Sequence[Trial]) -> list[Recipe]:
    """Return new recipes to choose from: all, or in a large space some, in random order."""
    space, random = study.space, np.random.default_rng([study.seed, len(trials)])
    known = {trial.recipe for trial in trials}
    if len(space) <= MAX_POOL:
        recipes = list(space)
    else:
        lengths = [len(values) for values in space.axes.values()]
        positions = random.integers(lengths, size=(RANDOM, len(lengths))).tolist()
        drawn = [space.recipe(tuple(position)) for position in positions]
        recipes = [recipe for recipe in drawn if recipe is not None]
        recipes += evolution(model, study, trials, CHILDREN)
    new = [recipe for recipe in dict.fromkeys(recipes) if recipe not in known]
    return [new[index] for index in random.permutation(len(new))]


def _value(trial: Trial, front: Sequence[Trial], metric: Metric) -> float:
    """Return the metric, larger is better: exact, or an estimate that a smaller file bounds."""
    if trial.exact:
        return metric.sort_key(trial.value)
    bounds = [metric.sort_key(rival.value) for rival in front if rival.bytes <= trial.bytes]
    return min([metric.sort_key(trial.first), *bounds[-1:]])


def _predictions(
    model: Model,
    study: Study,
    trials: Sequence[Trial],
    values: Array,
    pool: Sequence[Recipe],
    seed: int,
) -> tuple[Array, Array]:
    """Return the logarithms of the bytes, float64 [n], and each tree's metrics, [trees, n]."""
    from sklearn.tree import ExtraTreeRegressor

    trials, values = trials[-MAX_FITTED:], values[-MAX_FITTED:]
    known = np.array([_features(model, study, trial.recipe) for trial in trials], np.float32)
    fields = np.array([_features(model, study, recipe) for recipe in pool], np.float32)
    sizes = np.array([log10(trial.bytes) for trial in trials]) - known[:, -1]
    targets = np.stack([sizes, values], axis=1)
    scales = targets.std(axis=0) + 1e-9
    first = (study.seed + 1009 * seed) * TREES
    states = [state % 2**32 for state in range(first, first + TREES)]
    # Without checks of the input, which take longer than the trees.
    trees = [
        ExtraTreeRegressor(random_state=state).fit(known, targets / scales, check_input=False)
        for state in states
    ]
    predicted = scales * np.array([tree.predict(fields, check_input=False) for tree in trees])
    return fields[:, -1] + predicted[..., 0].mean(axis=0), predicted[..., 1]


def _features(model: Model, study: Study, recipe: Recipe) -> tuple[float, ...]:
    """Return the position of a recipe, and the logarithm of its expected bytes."""
    cached, key = study.space.cached, (model.digest, recipe)
    if key not in cached:
        cached[key] = (*study.space.position(recipe), log10(expected_bytes(model, recipe)))
    features: tuple[float, ...] = cached[key]
    return features


def _gains(
    points: Sequence[tuple[float, float]],
    sizes: Array,
    values: Array,
    reference: tuple[float, float],
) -> Array:
    """Return what points of `sizes` [n] and `values` [trees, n] add to the dominated area."""
    limit, height = reference
    start, gains = -np.inf, np.zeros(values.shape)
    for size, value in [*sorted(points, key=lambda point: (point[0], -point[1])), (limit, np.inf)]:
        if value <= height:
            continue
        width = np.clip(min(size, limit) - np.maximum(sizes, start), 0, None)
        gains += width * np.clip(values - height, 0, None)
        start, height = size, value
    return gains
