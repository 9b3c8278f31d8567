"""The sampler by predicted gains: gains are areas; proposals are new, allowed and repeatable."""

from __future__ import annotations

import random

import numpy as np
import pytest

from workbench.domain.metric import ACCURACY
from workbench.recipe import Recipe
from workbench.study import Space, Study
from workbench.study.expected_bytes import expected_bytes
from workbench.study.hypervolume import gains, hypervolume
from workbench.study.samplers.surrogate import FIRST, surrogate
from workbench.study.trial import EXACT, FAILED, TOO_LARGE, UNLIKELY, Trial

SPACE = Space(
    {
        "prune.sparsity": [step / 50 for step in range(45)],
        "quantize.bits": [2, 3, 4, 5, 6, 8],
        "quantize.range": ["minmax", "mse"],
        "prune.scope": ["global", "uniform"],
    }
)


def test_gains_are_differences_of_hypervolumes():
    rng = random.Random(0)
    pairs = [(10 ** rng.uniform(1, 3.2), rng.uniform(0, 1)) for _ in range(60)]
    trials = [Trial(Recipe(), EXACT, size, value=value) for size, value in pairs]
    front, others = trials[:8], trials[8:]
    points = [(np.log10(trial.bytes), trial.value) for trial in front]
    sizes = np.array([[np.log10(trial.bytes)] for trial in others])
    values = np.array([[trial.value for trial in others]])
    largest = {"bytes": 1000}
    before = hypervolume(front, ACCURACY, largest, 0.1)
    added = [hypervolume([*front, t], ACCURACY, largest, 0.1) - before for t in others]
    assert any(added)
    assert not all(added)
    assert gains(points, sizes, values, [3.0], 0.1)[0] == pytest.approx(added)


def guessed(model, recipe):
    """Return a trial with a made-up metric: all bits above 3 and half of the weights are free."""
    sparsity = recipe.prune.sparsity if recipe.prune else 0
    value = 0.9 - max(0, sparsity - 0.5) - 0.2 * max(0, 4 - recipe.quantize.bits)
    size = round(expected_bytes(model, recipe))
    state = UNLIKELY if recipe.quantize.range == "minmax" else EXACT
    return Trial(recipe, state, size, value=value, first=value, total=100, examples=100)


@pytest.mark.slow
def test_proposals_are_new_repeatable_and_near_the_front(tiny):
    study = Study.of(tiny, SPACE, seed=3)
    trials = [guessed(tiny, recipe) for recipe in surrogate(tiny, study, [], FIRST)]
    trials += [Trial(Recipe(), FAILED), Trial(SPACE.recipe((0, 5, 1, 1)), TOO_LARGE, 10**6)]
    for _ in range(8):
        recipes = surrogate(tiny, study, trials, 4)
        assert recipes == surrogate(tiny, Study.of(tiny, SPACE, seed=3), trials, 4)
        assert len(set(recipes)) == 4
        assert not {trial.recipe for trial in trials} & set(recipes)
        trials += [guessed(tiny, recipe) for recipe in recipes]
    later = [trial.recipe for trial in trials[-16:]]
    assert np.mean([recipe.quantize.bits <= 4 for recipe in later]) > 0.7


def test_a_space_ends(tiny):
    space = Space({"quantize.bits": list(range(2, 9)), "prune.sparsity": [0, 0.5]})
    study = Study.of(tiny, space)
    trials: list[Trial] = []
    while recipes := surrogate(tiny, study, trials, 4):
        trials += [guessed(tiny, recipe) for recipe in recipes]
    assert len({trial.recipe for trial in trials}) == len(trials) == 14
