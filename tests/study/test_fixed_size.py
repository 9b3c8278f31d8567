"""One layer changes, the others share the rest, and the real file keeps its length."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.errors import Cancelled, RecipeError
from workbench.recipe import Prune, Quantize, Recipe, Train
from workbench.recipe.off import with_layers
from workbench.study.fixed_size import NEAR, STEP, hold_size

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
    (Recipe(Prune(0, scope="layer", layers={"fc1.weight": 0.8})), "prune", "fc2.weight", 0.3),
    (Recipe(quantize=Quantize(4)), "quantize", "fc2.weight", 8),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]} {case[1:]}")
def case(request, small):
    recipe, key, layer, setting = request.param
    size = len(wb.compress(small, recipe))
    changed = with_layers(recipe, key, [layer], setting)
    assert len(wb.compress(small, changed)) != size
    return changed, key, layer, setting, size


def test_the_size_stays_and_the_layer_is_as_set(small, case):
    changed, key, layer, setting, size = case
    found = hold_size(small, changed, layer, size)
    artifact = wb.compress(small, found.recipe)
    assert (found.asked, found.bytes) == (size, len(artifact))
    assert abs(found.bytes - size) <= NEAR * size
    assert getattr(found.recipe, key).layers[layer] == setting
    before = wb.compress(small, changed).weights()[layer]
    near = artifact.weights()[layer]
    # Where the layer had to be given a sparsity of its own, it is the one it had, to a step.
    assert float((before != near).double().mean()) <= (STEP if key == "quantize" else 0)


def test_all_else_stays_as_it_was(small):
    changed = Recipe(
        Prune(0.8, "gradient", layers={"fc1.weight": 0.85, "fc3.weight": 0.6}, exclude=[]),
        Quantize(4, range="mse", layers={"fc1.weight": 8}),
    )
    found = hold_size(small, changed, "fc1.weight", len(wb.compress(small, changed)) - 3000).recipe
    assert found.quantize == changed.quantize
    assert (found.prune.criterion, found.prune.scope) == ("gradient", "global")
    densities = (1 - found.prune.sparsity) / 0.2, (1 - found.prune.layers["fc3.weight"]) / 0.4
    assert densities[0] == pytest.approx(densities[1], abs=2 * STEP / 0.2)
    assert densities[0] < 1


def test_what_is_left_alone_takes_no_part(small):
    changed = with_layers(Recipe(Prune(0.8, exclude=["fc3.weight"])), "prune", ["fc1.weight"], 0.79)
    found = hold_size(small, changed, "fc1.weight", 236_000).recipe
    weights = wb.compress(small, found).weights()
    assert torch.equal(weights["fc3.weight"], small.weights()["fc3.weight"])
    assert found.prune.exclude == ("fc3.weight",)


@pytest.mark.parametrize(
    ("recipe", "asked", "said"),
    [
        (Recipe(Prune(0.9, layers={"fc1.weight": 0.1})), 130_000, "can bring it to 8"),
        (Recipe(Prune(0.9, layers={"fc1.weight": 0.99})), 900_000, "can bring it to 1"),
        (Recipe(Prune(0.9, exclude=["fc2.weight", "fc3.weight"])), 100_000, "No other layer"),
        (Recipe(Prune(0.9), train=Train()), 100_000, "A trained file"),
    ],
)
def test_what_cannot_be_is_one_sentence(small, recipe, asked, said):
    with pytest.raises(RecipeError, match=said) as refused:
        hold_size(small, recipe, "fc1.weight", asked)
    assert "\n" not in str(refused.value)


def test_a_layer_that_is_not_there(small):
    with pytest.raises(RecipeError, match="no layer 'fc9"):
        hold_size(small, SPARSE, "fc9.weight", 10_000)


def test_it_stops_when_nobody_waits(small):
    with pytest.raises(Cancelled):
        hold_size(small, SPARSE, "fc1.weight", 10_000, cancelled=lambda: True)
