"""Expected hypervolume improvement, predicted by trees that were fitted to the trials so far."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10
from typing import TYPE_CHECKING

import numpy as np

from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.recipe import Recipe
from workbench.study.expected_bytes import expected_bytes
from workbench.study.front import pareto_front
from workbench.study.hypervolume import Array, gains
from workbench.study.measurement import SPLIT
from workbench.study.objectives import BYTES
from workbench.study.samplers.evolution import evolution
from workbench.study.samplers.space_filling import sobol
from workbench.study.trial import Trial

if TYPE_CHECKING:
    from workbench.study.study import Study

FIRST = 8
"""Recipes of the Sobol sequence that it begins with."""
TREES = 30
MAX_FITTED = 400
"""Trees are fitted to this many trials at most, the latest."""
MAX_POOL = 1000
"""In a larger space, only some recipes are considered: `CHILDREN` and `RANDOM` of them."""
CHILDREN, RANDOM = 40, 20
SLACK = 0.1
"""Decades above the slowest file up to which times count, and energies: without them, a recipe as
slow as the slowest would add nothing."""


def surrogate(model: Model, study: Study, trials: Sequence[Trial], count: int) -> list[Recipe]:
    """Return the recipes that are expected to add most to the hypervolume.

    Extremely randomized trees (Geurts et al. 2006, Machine Learning 63:3) predict costs and metric
    of each recipe of the space. What a recipe adds to the volume that the front dominates is
    averaged over the trees, whose differences stand for the uncertainty (expected hypervolume
    improvement, Emmerich et al. 2006, IEEE Trans. Evol. Comput. 10:421). Recipes of a round are
    chosen one after the other, as if the predictions for the earlier ones were true.

    Trees do not depend on the number of threads, so a study that is continued elsewhere proposes
    the same recipes.
    """
    metric, objectives = model.task.metric, study.objectives
    measured = [trial for trial in trials if trial.amounts(objectives)]
    fitted = [trial for trial in measured if trial.first is not None and isfinite(trial.first)]
    if len(fitted) < FIRST:
        return sobol(model, study, trials, min(count, FIRST - len(fitted)))
    pool = _pool(model, study, trials)
    if not pool:
        return []
    front = pareto_front(fitted, metric, objectives)
    original = model.metric_value(SPLIT)
    values = np.array([_value(trial, front, metric) for trial in fitted])
    worst = float(values.min())
    if not metric.is_fraction:  # one bad value would outweigh all differences of the good ones
        worst = max(worst, metric.sort_key(original) - abs(original))
    values = np.maximum(values, worst)
    costs, predicted = _predictions(model, study, fitted, values, pool, len(trials))
    limits = _limits(model, study, fitted)
    points = [(*map(log10, t.amounts(objectives)), metric.sort_key(t.value)) for t in front]
    chosen: list[int] = []
    for _ in range(min(count, len(pool))):
        added = gains(points, costs, predicted, limits, worst).mean(axis=0)
        added[chosen] = -1.0
        best = int(added.argmax())
        chosen.append(best)
        points.append((*map(float, costs[best]), float(predicted[:, best].mean())))
    return [pool[index] for index in chosen]


def _limits(model: Model, study: Study, trials: Sequence[Trial]) -> list[float]:
    """Return the logarithms of the costs from which on a recipe adds nothing."""
    slowest = np.array([trial.amounts(study.objectives) for trial in trials]).max(axis=0)
    size = log10(min(model.original_bytes, study.max_bytes or model.original_bytes))
    return [
        size if name == BYTES else log10(most) + SLACK
        for name, most in zip(study.objectives, slowest, strict=True)
    ]


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
    """Return the logarithms of the costs, [n, number of costs], and metrics, [trees, n]."""
    from sklearn.tree import ExtraTreeRegressor

    trials, values = trials[-MAX_FITTED:], values[-MAX_FITTED:]
    known = np.array([_features(model, study, trial.recipe) for trial in trials], np.float32)
    fields = np.array([_features(model, study, recipe) for recipe in pool], np.float32)
    costs = np.array([[log10(a) for a in trial.amounts(study.objectives)] for trial in trials])
    is_bytes = np.array([name == BYTES for name in study.objectives])  # expected before
    targets = np.column_stack([costs - is_bytes * known[:, -1:], values])
    scales = targets.std(axis=0) + 1e-9
    first = (study.seed + 1009 * seed) * TREES
    states = [state % 2**32 for state in range(first, first + TREES)]
    # Without checks of the input, which take longer than the trees.
    trees = [
        ExtraTreeRegressor(random_state=state).fit(known, targets / scales, check_input=False)
        for state in states
    ]
    predicted = scales * np.array([tree.predict(fields, check_input=False) for tree in trees])
    means = [predicted[..., number].mean(axis=0) for number in range(len(is_bytes))]
    return is_bytes * fields[:, -1:] + np.stack(means, axis=1), predicted[..., -1]


def _features(model: Model, study: Study, recipe: Recipe) -> tuple[float, ...]:
    """Return the position of a recipe, and the logarithm of its expected bytes."""
    cached, key = study.space.cached, (model.digest, recipe)
    if key not in cached:
        cached[key] = (*study.space.position(recipe), log10(expected_bytes(model, recipe)))
    features: tuple[float, ...] = cached[key]
    return features
