"""Grid and random search: what is tried, how it is ranked, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import Cancelled, RecipeError
from workbench.evaluation.progress import reference_counts
from workbench.experiments import LogUniform, search
from workbench.pipeline import compress
from workbench.recipe import Recipe


def test_a_grid_tries_every_combination_and_ranks_by_validation(small, brief):
    space = {"learning_rate": [1e-5, 3e-3], "optimizer": ["adam", "sgd"]}
    seen = []
    result = search(small, space, brief, processes=1, progress=seen.append)
    tried = {(t.params["learning_rate"], t.params["optimizer"]) for t in result.trials}
    assert tried == {(rate, rule) for rate in (1e-5, 3e-3) for rule in ("adam", "sgd")}
    assert [len(so_far.ranking) for so_far in seen] == [1, 2, 3, 4]
    means = [trial.mean for trial in result.ranking]
    assert means == sorted(means, reverse=True)
    best = result.best
    assert (best.settings.optimizer, best.settings.learning_rate) == ("adam", 3e-3)
    weights = compress(small, Recipe(train=best.settings)).weights()
    assert best.mean == reference_counts(small, weights, small.task.split("validation")).accuracy


def test_draws_repeat_with_their_seed_and_never_twice_the_same(small, brief):
    space = {"learning_rate": LogUniform(1e-4, 1e-1), "batch": [8, 16]}

    def drawn(seed):
        result = search(small, space, brief, n_trials=3, seed=seed, processes=1)
        return [trial.settings for trial in result.trials]

    assert drawn(0) == drawn(0) != drawn(1)
    assert all(1e-4 <= settings.learning_rate <= 1e-1 for settings in drawn(0))
    few = search(small, {"batch": [8, 16]}, brief, n_trials=9, processes=1)
    assert sorted(trial.settings.batch for trial in few.trials) == [8, 16]


def test_folds_give_each_trial_a_mean_and_a_spread(small, brief):
    result = search(small, {"batch": (16, 32)}, brief, folds=2, processes=2)
    again = search(small, {"batch": (16, 32)}, brief, folds=2, processes=1)
    for trial, other in zip(result.trials, again.trials, strict=True):
        assert trial.values == other.values
        assert len(trial.values) == 2
        assert trial.spread is not None


def test_log_uniform_draws_every_factor_alike():
    rng = np.random.RandomState(0)
    drawn = np.array([LogUniform(1e-4, 1e2).rvs(random_state=rng) for _ in range(3000)])
    assert 1e-4 <= drawn.min() <= drawn.max() <= 1e2
    counts = np.histogram(np.log10(drawn), bins=6, range=(-4, 2))[0]
    assert np.abs(counts - 500).max() < 100


@pytest.mark.parametrize("ends", [(0, 1), (1, 1), (2, 1), (-1, 1), (1, float("inf"))])
def test_log_uniform_needs_two_ends(ends):
    with pytest.raises(RecipeError, match="must lie above 0"):
        LogUniform(*ends)


def test_it_can_be_cancelled(small, brief):
    with pytest.raises(Cancelled):
        search(small, {"batch": [8, 16]}, brief, processes=1, cancelled=lambda: True)


def test_nothing_found_yet_has_no_best(small, brief):
    so_far = []
    search(small, {"batch": [8]}, brief, folds=2, processes=1, progress=so_far.append)
    assert so_far[0].best is None
    assert so_far[1].best.params == {"batch": 8}


@pytest.mark.parametrize(
    ("space", "more", "words"),
    [
        ({}, {}, "something to vary"),
        (["batch"], {}, "What varies must be a dict"),
        ({"rate": [1]}, {}, "no key 'rate' to vary: choose from"),
        ({"threads": [1, 2]}, {}, "no key 'threads'"),
        ({"optimizer": "adam"}, {}, "values of optimizer must be a list"),
        ({"batch": []}, {}, "values of batch must be a list"),
        ({"learning_rate": LogUniform(1e-4, 1)}, {}, "where they are drawn at random"),
        ({"batch": [8]}, {"draws": 0}, "number of draws must be a whole number, 1 at least, not 0"),
        ({"batch": [0]}, {}, "train.batch must be a number"),
        ({"optimizer": ["lion"]}, {}, "train.optimizer must be one of"),
        ({"batch": list(range(1, 200)), "seed": list(range(100))}, {}, "10,000 settings at most"),
        ({"seed": list(range(5))}, {"folds": 1}, "folds must be from 2"),
    ],
)
def test_bad_input_is_one_sentence(small, brief, space, more, words):
    with pytest.raises(RecipeError, match=words):
        search(small, space, brief, processes=1, **more)
