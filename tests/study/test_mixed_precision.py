"""Bits for each layer: the knapsack is exact, and the files are within the limit."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cache.results import ResultCache
from workbench.recipe import Quantize
from workbench.study import Space, Study, measurement, mixed_precision, run_study
from workbench.study.knapsack import knapsack


def exhaustive(options, max_bytes):
    """Return the least loss over all combinations."""
    sums = [
        (sum(o[1] for o in chosen), sum(o[2] for o in chosen))
        for chosen in product(*options.values())
    ]
    return min((loss for size, loss in sums if size <= max_bytes), default=None)


@pytest.mark.parametrize("seed", range(8))
def test_the_knapsack_has_the_least_loss(seed):
    random = np.random.default_rng(seed)
    options = {
        name: [(bits, int(random.integers(5, 200)), float(random.random())) for bits in (2, 4, 8)]
        for name in "abcd"
    }
    for max_bytes in (10, 150, 300, 500, 1000):
        chosen, least = knapsack(options, max_bytes), exhaustive(options, max_bytes)
        if least is None:
            assert chosen is None
            continue
        picked = [next(o for o in options[name] if o[0] == bits) for name, bits in chosen.items()]
        assert sum(option[1] for option in picked) <= max_bytes
        assert sum(option[2] for option in picked) == pytest.approx(least)


@pytest.mark.slow
def test_layers_have_their_own_bits_within_the_size_of_uniform_ones(monkeypatch):
    store = ResultCache()
    monkeypatch.setattr(measurement, "default_result_cache", lambda: store)
    model = wb.model("fashion/mlp-32")
    uniform = wb.measure(model, wb.Recipe(Quantize(4, range="mse")), timed=False, store=store)
    result = mixed_precision(model, uniform.bytes, recipes=10)
    best = result.front[-1]
    assert best.bytes <= uniform.bytes
    assert best.value > uniform.value
    assert set(best.recipe.quantize.layers) == set(model.layers)


def test_a_space_of_other_fields(small):
    space = Space({"prune.sparsity": [0.5]})
    with raises("study.not_by_layer"):
        run_study(small, Study.of(small, space, sampler="by_layer", max_bytes=1000))
