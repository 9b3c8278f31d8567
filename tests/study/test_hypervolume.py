"""Hypervolume: what a front dominates, from a reference point, for any number of objectives."""

from __future__ import annotations

import random
from itertools import product
from math import log10

import numpy as np
import pytest

from workbench.domain.metric import ACCURACY, Metric
from workbench.recipe import Recipe
from workbench.study.hypervolume import gains, hypervolume, hypervolumes
from workbench.study.trial import Cost, Trial

ERROR = Metric("root mean squared error", "numbers", higher_is_better=False, is_fraction=False)
LARGEST = {"bytes": 1000}


def trial(size, value, state="exact", milliseconds=None):
    return Trial(Recipe(), state, size, value=value, cost=Cost(milliseconds))


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
    assert hypervolume(trials, metric, LARGEST, worst) == pytest.approx(area)


def test_the_area_is_that_of_random_points_that_are_dominated():
    rng = random.Random(0)
    trials = [trial(rng.randint(20, 900), rng.uniform(0.2, 0.9)) for _ in range(12)]
    hits, draws = 0, 20_000
    for _ in range(draws):
        size, value = rng.uniform(1, 3), rng.uniform(0.1, 1)
        hits += any(log10(t.bytes) <= size and t.value >= value for t in trials)
    assert hypervolume(trials, ACCURACY, LARGEST, 0.1) == pytest.approx(
        1.8 * hits / draws, rel=0.05
    )
    areas = hypervolumes(trials, ACCURACY, LARGEST, 0.1)
    assert areas == sorted(areas)
    for count, area in enumerate(areas, 1):
        assert area == pytest.approx(hypervolume(trials[:count], ACCURACY, LARGEST, 0.1))


def random_points(rng, count, costs):
    """Return points on a small integer grid, so that a sum over its cells is exact."""
    return [(*(rng.randint(0, 6) for _ in range(costs)), rng.randint(1, 6)) for _ in range(count)]


def cells(points, costs):
    """Return how many unit cells points dominate, up to costs of 5 and from a value of 0."""
    return sum(
        any(all(c <= x for c, x in zip(p[:-1], at, strict=True)) and y < p[-1] for p in points)
        for *at, y in product(*[range(5)] * costs, range(6))
    )


@pytest.mark.parametrize("costs", [1, 2, 3])
def test_gains_are_the_cells_that_a_point_adds(costs):
    rng = random.Random(costs)
    for count in (0, 1, 6):
        points, others = random_points(rng, count, costs), random_points(rng, 9, costs)
        places = np.array([other[:-1] for other in others], float)
        values = np.array([[other[-1] for other in others]], float)
        before = cells(points, costs)
        expected = [cells([*points, other], costs) - before for other in others]
        assert any(expected)
        assert gains(points, places, values, [5.0] * costs, 0.0)[0] == pytest.approx(expected)


def test_a_volume_of_bytes_latency_and_metric_is_the_cells_that_are_dominated():
    rng = random.Random(0)
    points = [point for point in random_points(rng, 12, 2) if max(point[:-1]) < 5]
    trials = [trial(10**a, c, milliseconds=10.0**b) for a, b, c in points]
    largest = {"bytes": 10**5, "latency": 10.0**5}
    volume = hypervolume(trials, Metric("gain", "numbers"), largest, 0.0)
    assert volume == pytest.approx(cells(points, 2)) != 0
    untimed = [trial(1, 9), trial(10, 9, "untimed", 1.0)]
    assert hypervolume([*trials, *untimed], Metric("gain", "numbers"), largest, 0.0) == volume
