"""Recipes are plain data: canonical, comparable, hashable and unchanged by round trips."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from random import Random

import pytest

from tests.raises import raises
from tests.recipes import random_recipe
from workbench.recipe import PARTS, Prune, Quantize, Recipe, Train
from workbench.recipe.description import describe
from workbench.recipe.layermap import LayerMap
from workbench.recipe.presets import PRESETS

NAMES = ("conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight")
RANDOM = [random_recipe(Random(seed), NAMES) for seed in range(500)]


@pytest.mark.slow
def test_json_round_trip() -> None:
    for recipe in RANDOM:
        text = recipe.to_json()
        for copied in (
            Recipe.from_json(text),
            Recipe.from_json(text.encode()),
            Recipe.from_json(recipe.as_dict()),
            Recipe.from_json(json.loads(text)),
            Recipe(**recipe.as_dict()),
            copy.deepcopy(recipe),
            pickle.loads(pickle.dumps(recipe)),
        ):
            assert copied == recipe
            assert hash(copied) == hash(recipe)
            assert copied.to_json() == text
            assert copied.digest == recipe.digest == hashlib.sha256(text.encode()).hexdigest()


def test_parts_may_be_given_in_any_order_and_by_keyword() -> None:
    prune, quantize = Prune(0.5), Quantize(4)
    expected = Recipe(prune=prune, quantize=quantize)
    for recipe in (
        Recipe(quantize, prune),
        Recipe(prune, quantize),
        Recipe(prune, quantize=quantize),
        Recipe(quantize, prune={"sparsity": 0.5}),
        replace(Recipe(quantize), prune=prune),
        pickle.loads(pickle.dumps(Recipe(quantize, prune))),
    ):
        assert recipe == expected
        assert hash(recipe) == hash(expected)
    assert {field.name for field in fields(Recipe)} == set(PARTS)


@pytest.mark.parametrize(
    ("parts", "named", "code"),
    [
        ((Prune(0.5), Prune(0.6)), {}, "recipe.duplicate_part"),
        ((Prune(0.5),), {"prune": Prune(0.6)}, "recipe.duplicate_part"),
        ((0.5,), {}, "recipe.not_a_part"),
        ((None,), {}, "recipe.not_a_part"),
        (({"sparsity": 0.5},), {}, "recipe.not_a_part"),
        ((Prune,), {}, "recipe.not_a_part"),
        ((), {"prune": Quantize(4)}, "recipe.not_an_object"),
    ],
)
def test_what_is_not_one_part_of_each_kind(parts, named, code) -> None:
    with raises(code):
        Recipe(*parts, **named)


def test_different_recipes_have_different_texts() -> None:
    assert len(set(RANDOM)) == len({recipe.to_json() for recipe in RANDOM})


def test_random_recipes_include_the_extremes() -> None:
    prunes = [recipe.prune for recipe in RANDOM if recipe.prune]
    quantizes = [recipe.quantize for recipe in RANDOM if recipe.quantize]
    assert {0.0, 0.99} <= {prune.sparsity for prune in prunes}
    assert {quantize.bits for quantize in quantizes} == {2, 3, 4, 5, 6, 7, 8, 16, 32}
    assert {8, 1024} <= {quantize.group_size for quantize in quantizes}
    assert any(prune.layers for prune in prunes)
    assert any(prune.exclude for prune in prunes)
    assert any(quantize.layers for quantize in quantizes)
    assert any(quantize.exclude for quantize in quantizes)
    assert {(r.prune is None, r.quantize is None) for r in RANDOM} == {
        (a, b) for a in (True, False) for b in (True, False)
    }


def test_same_seed_gives_the_same_recipe() -> None:
    assert random_recipe(Random(7), NAMES) == random_recipe(Random(7), NAMES)


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
def test_equal_recipes_have_equal_text(left, right) -> None:
    first, second = Recipe.from_json(left), Recipe.from_json(right)
    assert first == second
    assert hash(first) == hash(second)
    assert first.to_json() == second.to_json()


def test_text_is_compact_and_omits_defaults() -> None:
    assert Recipe().to_json() == "{}"
    assert Recipe(Prune(0.9), Quantize(4, granularity="tensor")).to_json() == (
        '{"prune":{"sparsity":0.9},"quantize":{"bits":4,"granularity":"tensor"}}'
    )
    assert repr(Recipe(Prune(0.9))) == "Recipe(prune={'sparsity': 0.9})"


def test_recipes_are_immutable() -> None:
    recipe = Recipe(Prune(layers={"a": 0.5}))
    with pytest.raises(FrozenInstanceError):
        recipe.prune = None
    with pytest.raises(FrozenInstanceError):
        recipe.prune.sparsity = 0.1
    with pytest.raises(TypeError):
        recipe.prune.layers["a"] = 0.1
    data = recipe.as_dict()
    data["prune"]["layers"]["a"] = 0.1
    assert recipe.prune.layers["a"] == 0.5


def test_input_data_is_copied() -> None:
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


def test_presets_have_texts_and_round_trip() -> None:
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
    process = subprocess.run(
        [sys.executable, "-c", script], check=False, env=environment, capture_output=True, text=True
    )
    assert (process.returncode, process.stderr.strip()) == (1, "")


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        (Recipe(quantize=Quantize(4, layers={"a": 8})), "4 bits, 1 layer with other bits"),
        (Recipe(quantize=Quantize(3, layers={"a": 8, "b": 2})), "3 bits, 2 layers with other bits"),
        (Recipe(train=Train(1)), "1 step of fine-tuning"),
        (Recipe(train=Train(2000)), "2,000 steps of fine-tuning"),
    ],
)
def test_a_description_has_the_singular(recipe, text):
    assert describe(recipe) == text
