"""Which fields of the recipes matter: permutation importance on the trials of a study."""

from __future__ import annotations

from math import isfinite

import numpy as np

from workbench import formatting
from workbench.i18n import _
from workbench.recipe.labels import field_label
from workbench.study.result import StudyResult

MIN_TRIALS = 20
"""With fewer trials, nothing is said."""
TREES, REPEATS = 100, 5


def importances(result: StudyResult) -> dict[str, float]:
    """Return how much each field of the space explains of the metric, the largest first.

    A random forest predicts the metric from the fields; a field is as important as its prediction
    gets worse when the values of the field are permuted (Breiman 2001, Machine Learning 45:5). The
    numbers are shares: they add up to 1. Estimates count like exact values. The result is empty
    with fewer than `MIN_TRIALS` trials, or if no field explains anything.
    """
    space, key = result.study.space, result.metric.sort_key
    trials = [t for t in result.trials if t.value is not None and isfinite(t.value)]
    if len(trials) < MIN_TRIALS:
        return {}
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    fields = np.array([space.position(trial.recipe) for trial in trials], np.float64)
    values = np.array([key(trial.value) for trial in trials])
    forest = RandomForestRegressor(TREES, random_state=0).fit(fields, values)
    measured = permutation_importance(forest, fields, values, n_repeats=REPEATS, random_state=0)
    losses = np.maximum(measured.importances_mean, 0.0)
    if not losses.sum() > 0:
        return {}
    shares = losses / losses.sum()
    names = list(space.axes)
    return {names[index]: float(shares[index]) for index in np.argsort(-shares, kind="stable")}


def importance_sentence(result: StudyResult) -> str | None:
    """Return which two fields decide the metric most, as a sentence; None without enough trials."""
    shares = importances(result)
    if len(shares) < 2:
        return None
    (first, first_share), (second, second_share) = list(shares.items())[:2]
    return _(
        "Among these recipes, {first} influences the {metric} most ({first_share}), then "
        "{second} ({second_share})."
    ).format(
        first=field_label(first),
        second=field_label(second),
        metric=result.metric.label,
        first_share=formatting.percent(first_share, 0),
        second_share=formatting.percent(second_share, 0),
    )
