"""A link restores its recipe, and an invalid link is refused with a reason."""

from __future__ import annotations

from random import Random
from urllib.parse import unquote

import pytest

from tests.raises import raises
from tests.recipes import random_recipe
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.link import MAX_LENGTH, from_query, to_query

NAMES = ("conv1.weight", "layers.0.conv.weight", "fc.weight")
ODD = ("a:b", "a,b", "a b", "a&b=c", "größe", "a%2Cb", "a+b", "%", "x:0.5,y:1", "#", "?")


@pytest.mark.slow
def test_random_recipes_round_trip() -> None:
    for seed in range(500):
        recipe = random_recipe(Random(seed), NAMES)
        query = to_query("fashion/lenet5", recipe)
        assert len(query) < MAX_LENGTH
        assert query.isascii()
        for text in (query, "?" + query):
            assert from_query(text) == ("fashion/lenet5", recipe, {})


def test_layer_names_with_any_characters_round_trip() -> None:
    for seed in range(200):
        recipe = random_recipe(Random(seed), ODD)
        assert from_query(to_query("a&b", recipe))[:2] == ("a&b", recipe)


def test_link_is_readable() -> None:
    recipe = Recipe(Prune(0.9, layers={"fc.weight": 0.5}, exclude=("a", "b")), Quantize(4))
    precise = Recipe(Prune(layers={"fc.weight": 0.123456789}))
    assert from_query(to_query("", precise))[1] == precise
    assert to_query("fashion/lenet5", recipe) == (
        "v=2&m=fashion/lenet5&prune.sparsity=0.9"
        "&prune.layers=fc.weight:0.5&prune.exclude=a,b&quantize.bits=4"
    )


@pytest.mark.parametrize(
    ("query", "recipe"),
    [
        ("", Recipe()),
        ("?", Recipe()),
        ("m=fashion/resnet", Recipe()),
        ("quantize.bits=4", Recipe(quantize=Quantize(4))),
        ("quantize.scheme=affine", Recipe(quantize=Quantize(scheme="affine"))),
        ("prune.sparsity=.9", Recipe(Prune(0.9))),
        ("prune.sparsity=9e-1&theme=dark&lang=en", Recipe(Prune(0.9))),
        ("prune.exclude=", Recipe(Prune())),
        ("prune.layers=a%3A0.5%2Cb:0.1", Recipe(Prune(layers={"a": 0.5, "b": 0.1}))),
    ],
)
def test_handwritten_links(query, recipe) -> None:
    assert from_query(query)[1] == recipe


@pytest.mark.parametrize(
    ("query", "code", "fact"),
    [
        ("v=3", "recipe.link_version", "'3'"),
        ("v=", "recipe.link_version", "''"),
        ("sparsity=0.9", "recipe.unknown_key", "'sparsity'"),
        ("prune.ratio=1", "recipe.unknown_key", "'prune.ratio'"),
        ("prune=0.5", "recipe.unknown_key", "'prune'"),
        ("budget=3", "recipe.unknown_key", "'budget'"),
        ("m=a&m=b", "recipe.duplicate_key", "'m'"),
        ("quantize.bits=4&quantize.bits=5", "recipe.duplicate_key", "'quantize.bits'"),
        ("prune.sparsity=1.5", "recipe.out_of_range", "prune.sparsity"),
        ("prune.sparsity=", "recipe.out_of_range", "prune.sparsity"),
        ("prune.sparsity=nan", "recipe.out_of_range", "prune.sparsity"),
        ("prune.sparsity=inf", "recipe.out_of_range", "prune.sparsity"),
        ("prune.sparsity=" + "9" * 4000, "recipe.out_of_range", "prune.sparsity"),
        ("quantize.bits=1", "recipe.unknown_choice", "quantize.bits"),
        ("quantize.bits=four", "recipe.unknown_choice", "quantize.bits"),
        ("prune.criterion=5", "recipe.unknown_choice", "prune.criterion"),
        ("prune.layers=fc", "recipe.invalid_layer_name", "prune.layers"),
        ("prune.layers=fc:", "recipe.out_of_range", "prune.layers"),
        ("prune.layers=:0.5", "recipe.invalid_layer_name", "prune.layers"),
        ("prune.layers=fc:much", "recipe.out_of_range", "prune.layers"),
        ("m=" + "a" * MAX_LENGTH, "recipe.link_too_long", str(MAX_LENGTH)),
    ],
)
def test_invalid_links(query, code, fact) -> None:
    with raises(code, fact):
        from_query(query)


def test_extra_keys_round_trip() -> None:
    query = to_query("m", Recipe(Prune(0.9)), {"budget": "20000", "floor": "0.9"})
    extra = frozenset({"budget", "floor"})
    assert from_query(query, extra) == (
        "m",
        Recipe(Prune(0.9)),
        {"budget": "20000", "floor": "0.9"},
    )


def test_link_without_a_model() -> None:
    assert from_query("prune.sparsity=0.9")[0] is None
    assert unquote(to_query("x/y", Recipe())) == "v=2&m=x/y"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("quantize.bits=0_4", "recipe.unknown_choice"),
        ("prune.sparsity=٠.٥", "recipe.out_of_range"),
        ("prune.sparsity=1e", "recipe.out_of_range"),
    ],
)
def test_only_decimal_ascii_numbers_are_accepted(query, code) -> None:
    with raises(code):
        from_query(query)
