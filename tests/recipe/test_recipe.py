"""Recipes are plain data: canonical, comparable, hashable, the same after every round trip."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from random import Random

import pytest

from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.layermap import LayerMap
from workbench.recipe.presets import PRESETS

NAMES = ("conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight")
DRAWN = [Recipe.draw(Random(seed), NAMES) for seed in range(500)]


def test_json_round_trip() -> None:
    for recipe in DRAWN:
        text = recipe.to_json()
        for again in (
            Recipe.from_json(text),
            Recipe.from_json(text.encode()),
            Recipe.from_json(recipe.as_dict()),
            Recipe.from_json(json.loads(text)),
            Recipe(**recipe.as_dict()),
            copy.deepcopy(recipe),
            pickle.loads(pickle.dumps(recipe)),
        ):
            assert again == recipe
            assert hash(again) == hash(recipe)
            assert again.to_json() == text
            assert again.digest == recipe.digest == hashlib.sha256(text.encode()).hexdigest()


def test_different_recipes_have_different_texts() -> None:
    assert len(set(DRAWN)) == len({recipe.to_json() for recipe in DRAWN})


def test_drawn_recipes_reach_the_extremes() -> None:
    prunes = [recipe.prune for recipe in DRAWN if recipe.prune]
    quantizes = [recipe.quantize for recipe in DRAWN if recipe.quantize]
    assert {0.0, 0.99} <= {prune.sparsity for prune in prunes}
    assert {quantize.bits for quantize in quantizes} == {2, 3, 4, 5, 6, 7, 8, 16, 32}
    assert {8, 1024} <= {quantize.group_size for quantize in quantizes}
    assert any(prune.layers for prune in prunes)
    assert any(prune.exclude for prune in prunes)
    assert any(quantize.layers for quantize in quantizes)
    assert any(quantize.exclude for quantize in quantizes)
    assert {(r.prune is None, r.quantize is None) for r in DRAWN} == {
        (a, b) for a in (True, False) for b in (True, False)
    }


def test_the_same_seed_draws_the_same_recipe() -> None:
    assert Recipe.draw(Random(7), NAMES) == Recipe.draw(Random(7), NAMES)


SAME = [
    ({"prune": {"sparsity": 0.3}}, {"prune": {"sparsity": 0.1 + 0.2}}),
    ({"prune": {"sparsity": 0}}, {"prune": {"sparsity": -0.0}}),
    ({"prune": {"sparsity": 0}}, {"prune": {"sparsity": 0.0, "seed": 0.0}}),
    ({"prune": {}}, {"prune": {"sparsity": 0.5}}),
    ({"prune": {"exclude": ["b", "a", "b"]}}, {"prune": {"exclude": ["a", "b"]}}),
    ({"prune": {"layers": {"b": 0.5, "a": 0}}}, {"prune": {"layers": {"a": -0.0, "b": 0.5}}}),
    ({"quantize": {"bits": 4}}, {"quantize": {"bits": 4.0, "scheme": "symmetric"}}),
    ({"quantize": {"layers": {"a": 8.0}}}, {"quantize": {"layers": {"a": 8}}}),
    ({}, {"prune": None, "quantize": None}),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_one_meaning_has_one_text(left, right) -> None:
    first, second = Recipe.from_json(left), Recipe.from_json(right)
    assert first == second
    assert hash(first) == hash(second)
    assert first.to_json() == second.to_json()


def test_the_text_is_compact_and_holds_what_differs_from_the_defaults() -> None:
    assert Recipe().to_json() == "{}"
    assert Recipe(Prune(0.9), Quantize(4, granularity="tensor")).to_json() == (
        '{"prune":{"sparsity":0.9},"quantize":{"bits":4,"granularity":"tensor"}}'
    )
    assert repr(Recipe(Prune(0.9))) == "Recipe(prune={'sparsity': 0.9})"


def test_recipes_do_not_change() -> None:
    recipe = Recipe(Prune(layers={"a": 0.5}))
    with pytest.raises(FrozenInstanceError):
        recipe.prune = None
    with pytest.raises(FrozenInstanceError):
        recipe.prune.sparsity = 0.1
    with pytest.raises(TypeError):
        recipe.prune.layers["a"] = 0.1
    plain = recipe.as_dict()
    plain["prune"]["layers"]["a"] = 0.1
    assert recipe.prune.layers["a"] == 0.5


def test_the_given_data_is_not_kept() -> None:
    layers = {"a": 0.5}
    prune = Prune(layers=layers)
    layers["a"] = 0.1
    assert prune.layers == {"a": 0.5}


def test_layer_maps() -> None:
    first, second = LayerMap({"b": 1, "a": 2}), LayerMap({"a": 2, "b": 1})
    assert list(first) == ["a", "b"]
    assert first == second
    assert hash(first) == hash(second)
    assert first != LayerMap({"a": 2})
    assert (len(first), len(LayerMap())) == (2, 0)


def test_presets_are_recipes_with_words() -> None:
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        assert preset.label
        assert preset.help
        assert Recipe.from_json(preset.recipe.to_json()) == preset.recipe


def test_reading_a_recipe_needs_no_torch_and_no_numpy() -> None:
    root = Path(__file__).parents[2]
    script = (
        "import sys, workbench.recipe, workbench.recipe.link, workbench.recipe.presets;"
        "sys.exit(' '.join({'torch', 'numpy', 'safetensors'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.strip()) == (1, "")
