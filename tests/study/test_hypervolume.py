"""Hypervolume: the area that a front dominates, from a reference point."""

from __future__ import annotations

import random
from math import log10

import pytest

from workbench.domain.metric import ACCURACY, Metric
from workbench.recipe import Recipe
from workbench.study.hypervolume import hypervolume, hypervolumes
from workbench.study.trial import Trial

ERROR = Metric("root mean squared error", "numbers", higher_is_better=False, is_fraction=False)


def trial(size, value, state="exact"):
    return Trial(Recipe(), state, size, value=value)


@pytest.mark.parametrize(
    ("trials", "metric", "worst", "area"),
    [
        ([], ACCURACY, 0.1, 0),
        ([trial(100, 0.9)], ACCURACY, 0.1, 0.8),
        ([trial(100, 0.9), trial(10, 0.6)], ACCURACY, 0.1, 0.5 + 0.8),
        ([trial(100, 0.9), trial(500, 0.8)], ACCURACY, 0.1, 0.8),
        ([trial(5000, 0.9), trial(100, 0.05)], ACCURACY, 0.1, 0),
        ([trial(10, 0.9, "unlikely")], ACCURACY, 0.1, 0),
        ([trial(10, float("nan"))], ACCURACY, 0.1, 0),
        ([trial(100, 0.5)], ERROR, 2.0, 1.5),
    ],
)
def test_areas(trials, metric, worst, area):
    assert hypervolume(trials, metric, 1000, worst) == pytest.approx(area)


def test_the_area_is_that_of_random_points_that_are_dominated():
    rng = random.Random(0)
    trials = [trial(rng.randint(20, 900), rng.uniform(0.2, 0.9)) for _ in range(12)]
    hits, draws = 0, 20_000
    for _ in range(draws):
        size, value = rng.uniform(1, 3), rng.uniform(0.1, 1)
        hits += any(log10(t.bytes) <= size and t.value >= value for t in trials)
    assert hypervolume(trials, ACCURACY, 1000, 0.1) == pytest.approx(1.8 * hits / draws, rel=0.05)
    areas = hypervolumes(trials, ACCURACY, 1000, 0.1)
    assert areas == sorted(areas)
    for count, area in enumerate(areas, 1):
        assert area == pytest.approx(hypervolume(trials[:count], ACCURACY, 1000, 0.1))
