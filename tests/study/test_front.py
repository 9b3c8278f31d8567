"""The front of any costs: that of brute force, and times that differ by noise change nothing."""

from __future__ import annotations

import random
from itertools import pairwise, permutations

import pytest

from workbench.domain.metric import ACCURACY, RMSE
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Recipe
from workbench.study.front import NOISE, pareto_front
from workbench.study.trial import UNTIMED, Cost, Trial

ALL = ("bytes", "latency", "energy")


def trial(size=1, milliseconds=1.0, millijoules=1.0, value=0.5, state="exact"):
    joules = millijoules / 1000
    energy = Energy(joules, joules, joules, "counter", ("package",))
    return Trial(Recipe(), state, size, value=value, cost=Cost(milliseconds, energy))


def random_trials(seed, count=60):
    rng = random.Random(seed)
    return [
        trial(rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 9) / 10)
        for _ in range(count)
    ]


def no_worse(one, other, objectives, metric, noise=0.0):
    costs = zip(objectives, one.amounts(objectives), other.amounts(objectives), strict=True)
    return metric.sort_key(one.value) >= metric.sort_key(other.value) and all(
        a <= b * (1 if name == "bytes" else 1 + noise) for name, a, b in costs
    )


@pytest.mark.parametrize("metric", [ACCURACY, RMSE], ids=lambda metric: metric.name)
@pytest.mark.parametrize(
    "objectives", [("bytes",), ("latency",), ("bytes", "latency"), ("latency", "energy"), ALL]
)
def test_without_noise_it_is_what_brute_force_gives(objectives, metric):
    for seed in range(10):
        trials = random_trials(seed)
        expected = {
            (trial.amounts(objectives), trial.value)
            for trial in trials
            if not any(
                no_worse(other, trial, objectives, metric)
                and not no_worse(trial, other, objectives, metric)
                for other in trials
            )
        }
        front = pareto_front(trials, metric, objectives, noise=0.0)
        assert [(t.amounts(objectives), t.value) for t in front] == sorted(expected)


@pytest.mark.parametrize("objectives", [("latency",), ("bytes", "latency"), ALL])
def test_with_noise_each_trial_left_out_has_a_member_that_is_as_good(objectives):
    for seed in range(10):
        trials = random_trials(seed)
        front = pareto_front(trials, ACCURACY, objectives, noise=0.3)
        exact = pareto_front(trials, ACCURACY, objectives, noise=0.0)
        assert len(front) <= len(exact)
        for other in trials:
            assert any(no_worse(one, other, objectives, ACCURACY, 0.3) for one in front)
        for one, other in permutations(front, 2):
            better = ACCURACY.better(one.value, other.value)
            assert not (better and no_worse(one, other, objectives, ACCURACY, 0.3))


def test_a_time_that_is_shorter_by_noise_only_is_no_reason():
    best, faster = trial(milliseconds=1.0, value=0.9), trial(milliseconds=0.98, value=0.8)
    assert pareto_front([faster, best], ACCURACY, ("latency",)) == [best]
    fast = trial(milliseconds=1 / (1 + NOISE) - 0.01, value=0.8)
    assert pareto_front([faster, best, fast], ACCURACY, ("latency",)) == [fast, best]
    small = trial(99, value=0.8)
    assert pareto_front([trial(100, value=0.9), small], ACCURACY, ("bytes", "latency"))[0] == small


def test_small_steps_do_not_exclude_a_large_one():
    steps = [trial(milliseconds=0.97**step, value=0.9 - step / 100) for step in range(10)]
    front = pareto_front(steps, ACCURACY, ("latency",))
    times = [one.cost.milliseconds for one in front]
    assert front[-1] is steps[0]
    assert len(front) == 3
    assert all(b / a > 1 + NOISE for a, b in pairwise(times))


def test_trials_without_a_cost_are_not_on_it():
    untimed = [Trial(Recipe(), "exact", 5, value=0.9), trial(state=UNTIMED)]
    assert pareto_front(untimed, ACCURACY, ("bytes", "latency")) == []
    assert pareto_front(untimed, ACCURACY) == untimed[:1]
