"""Holding the size: one layer changes, the others compensate, the file keeps its length."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.recipe import Prune, Quantize, Recipe, Train
from workbench.recipe.off import with_layers
from workbench.study.fixed_size import MAX_ERROR, STEP, hold_size

SPARSE = Recipe(Prune(0.9), Quantize(4))
CASES = [
    (SPARSE, "prune", "fc2.weight", 0.5),
    (SPARSE, "prune", "fc2.weight", 0.97),
    (SPARSE, "prune", "fc1.weight", 0.9123),
    (SPARSE, "quantize", "fc2.weight", 8),
    (Recipe(Prune(0.8, scope="uniform")), "prune", "fc2.weight", 0.5),
    (Recipe(Prune(0.8, scope="adaptive"), Quantize(8)), "prune", "fc1.weight", 0.82),
    (Recipe(Prune(0.8, layers={"fc3.weight": 0.4})), "prune", "fc1.weight", 0.82),
    (Recipe(Prune(0.8, exclude=["fc3.weight"])), "prune", "fc1.weight", 0.79),
    (Recipe(Prune(0, scope="named", layers={"fc1.weight": 0.8})), "prune", "fc2.weight", 0.3),
    (Recipe(quantize=Quantize(4)), "quantize", "fc2.weight", 8),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]} {case[1:]}")
def case(request, small):
    recipe, key, layer, setting = request.param
    size = len(wb.compress(small, recipe))
    changed = with_layers(recipe, key, [layer], setting)
    assert len(wb.compress(small, changed)) != size
    return changed, key, layer, setting, size


@pytest.mark.slow
def test_the_size_and_the_setting_of_the_layer_are_held(small, case):
    changed, key, layer, setting, size = case
    sized = hold_size(small, changed, layer, size)
    artifact = wb.compress(small, sized.recipe)
    assert (sized.target, sized.bytes) == (size, len(artifact))
    assert abs(sized.bytes - size) <= MAX_ERROR * size
    assert getattr(sized.recipe, key).layers[layer] == setting
    before = wb.compress(small, changed).weights()[layer]
    after = artifact.weights()[layer]
    # A layer that gets an explicit sparsity keeps the one it had, up to the resolution.
    assert float((before != after).double().mean()) <= (STEP if key == "quantize" else 0)


def test_other_settings_do_not_change(small):
    changed = Recipe(
        Prune(0.8, "gradient", layers={"fc1.weight": 0.85, "fc3.weight": 0.6}, exclude=[]),
        Quantize(4, range="mse", layers={"fc1.weight": 8}),
    )
    size = len(wb.compress(small, changed)) - 3000
    held = hold_size(small, changed, "fc1.weight", size).recipe
    assert held.quantize == changed.quantize
    assert (held.prune.criterion, held.prune.scope) == ("gradient", "global")
    densities = (1 - held.prune.sparsity) / 0.2, (1 - held.prune.layers["fc3.weight"]) / 0.4
    assert densities[0] == pytest.approx(densities[1], abs=2 * STEP / 0.2)
    assert densities[0] < 1


def test_excluded_layers_are_not_pruned(small):
    changed = with_layers(Recipe(Prune(0.8, exclude=["fc3.weight"])), "prune", ["fc1.weight"], 0.79)
    held = hold_size(small, changed, "fc1.weight", 236_000).recipe
    weights = wb.compress(small, held).weights()
    assert torch.equal(weights["fc3.weight"], small.weights()["fc3.weight"])
    assert held.prune.exclude == ("fc3.weight",)


@pytest.mark.parametrize(
    ("recipe", "target", "code", "fact"),
    [
        (
            Recipe(Prune(0.9, layers={"fc1.weight": 0.1})),
            130_000,
            "recipe.hold_size_out_of_reach",
            "bring it to 8",
        ),
        (
            Recipe(Prune(0.9, layers={"fc1.weight": 0.99})),
            900_000,
            "recipe.hold_size_out_of_reach",
            "bring it to 1",
        ),
        (
            Recipe(Prune(0.9, exclude=["fc2.weight", "fc3.weight"])),
            100_000,
            "recipe.hold_size_no_layers",
            "layer",
        ),
        (Recipe(Prune(0.9), train=Train()), 100_000, "recipe.hold_size_trained", "training"),
    ],
)
def test_an_impossible_size_is_rejected(small, recipe, target, code, fact):
    with raises(code, fact) as caught:
        hold_size(small, recipe, "fc1.weight", target)
    assert "\n" not in str(caught.value)


def test_an_unknown_layer_is_rejected(small):
    with raises("recipe.unknown_layer", "fc9"):
        hold_size(small, SPARSE, "fc9.weight", 10_000)


def test_it_can_be_cancelled(small):
    with pytest.raises(Cancelled):
        hold_size(small, SPARSE, "fc1.weight", 10_000, cancel=CancelToken(lambda: True))
