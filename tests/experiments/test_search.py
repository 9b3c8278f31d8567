"""Grid and random search: trials, ranking, and invalid arguments."""

from __future__ import annotations

import numpy as np
import pytest

from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.progress import reference_counts
from workbench.experiments import LogUniform, search
from workbench.recipe import Recipe
from workbench.training.compress import compress


@pytest.mark.slow
def test_a_grid_tries_every_combination_and_ranks_by_validation(small, brief):
    space = {"learning_rate": [1e-5, 3e-3], "optimizer": ["adam", "sgd"]}
    seen = []
    result = search(small, space, brief, processes=1, on_update=seen.append)
    tried = {(t.params["learning_rate"], t.params["optimizer"]) for t in result.trials}
    assert tried == {(rate, rule) for rate in (1e-5, 3e-3) for rule in ("adam", "sgd")}
    assert [len(so_far.ranking) for so_far in seen] == [1, 2, 3, 4]
    means = [trial.mean for trial in result.ranking]
    assert means == sorted(means, reverse=True)
    best = result.best
    assert (best.settings.optimizer, best.settings.learning_rate) == ("adam", 3e-3)
    weights = compress(small, Recipe(train=best.settings)).weights()
    assert best.mean == reference_counts(small, weights, small.task.split("validation")).accuracy


@pytest.mark.slow
def test_random_trials_depend_on_the_seed_and_are_distinct(small, brief):
    space = {"learning_rate": LogUniform(1e-4, 1e-1), "batch": [8, 16]}

    def trials(seed):
        result = search(small, space, brief, n_trials=3, seed=seed, processes=1)
        return [trial.settings for trial in result.trials]

    assert trials(0) == trials(0) != trials(1)
    assert all(1e-4 <= settings.learning_rate <= 1e-1 for settings in trials(0))
    few = search(small, {"batch": [8, 16]}, brief, n_trials=9, processes=1)
    assert sorted(trial.settings.batch for trial in few.trials) == [8, 16]


@pytest.mark.slow
def test_with_folds_each_trial_has_a_mean_and_a_spread(small, brief):
    result = search(small, {"batch": (16, 32)}, brief, folds=2, processes=2)
    again = search(small, {"batch": (16, 32)}, brief, folds=2, processes=1)
    for trial, other in zip(result.trials, again.trials, strict=True):
        assert trial.values == other.values
        assert len(trial.values) == 2
        assert trial.spread is not None


def test_log_uniform_is_uniform_over_the_logarithm():
    rng = np.random.RandomState(0)
    values = np.array([LogUniform(1e-4, 1e2).rvs(random_state=rng) for _ in range(3000)])
    assert 1e-4 <= values.min() <= values.max() <= 1e2
    counts = np.histogram(np.log10(values), bins=6, range=(-4, 2))[0]
    assert np.abs(counts - 500).max() < 100


@pytest.mark.parametrize("ends", [(0, 1), (1, 1), (2, 1), (-1, 1), (1, float("inf"))])
def test_log_uniform_needs_two_positive_bounds(ends):
    with raises("training.distribution"):
        LogUniform(*ends)


def test_it_can_be_cancelled(small, brief):
    with pytest.raises(Cancelled):
        search(small, {"batch": [8, 16]}, brief, processes=1, cancel=CancelToken(lambda: True))


def test_an_incomplete_search_has_no_best(small, brief):
    so_far = []
    search(small, {"batch": [8]}, brief, folds=2, processes=1, on_update=so_far.append)
    assert so_far[0].best is None
    assert so_far[1].best.params == {"batch": 8}


@pytest.mark.parametrize(
    ("space", "more", "code", "fact"),
    [
        ({}, {}, "training.empty_search", "vary"),
        (["batch"], {}, None, "space"),
        ({"rate": [1]}, {}, "recipe.unknown_setting", "'rate'"),
        ({"threads": [1, 2]}, {}, "recipe.unknown_setting", "'threads'"),
        ({"optimizer": "adam"}, {}, "training.search_values", "optimizer"),
        ({"batch": []}, {}, "training.search_values", "batch"),
        ({"learning_rate": LogUniform(1e-4, 1)}, {}, "training.search_values", "learning_rate"),
        ({"batch": [8]}, {"n_trials": 0}, None, "trials"),
        ({"batch": [0]}, {}, None, "train.batch"),
        ({"optimizer": ["lion"]}, {}, None, "train.optimizer"),
        (
            {"batch": list(range(1, 200)), "seed": list(range(100))},
            {},
            "training.too_many_trials",
            "10,000",
        ),
        ({"seed": list(range(5))}, {"folds": 1}, "training.folds", "2"),
    ],
)
def test_invalid_arguments_are_rejected(small, brief, space, more, code, fact):
    with raises(code, fact) if code else pytest.raises(WorkbenchError, match=fact):
        search(small, space, brief, processes=1, **more)
