"""A link opens the recipe that it was made from, and a bad one says what is wrong."""

from __future__ import annotations

from random import Random
from urllib.parse import unquote

import pytest

from workbench.errors import RecipeError
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.link import MAX_LENGTH, from_query, to_query

NAMES = ("conv1.weight", "layers.0.conv.weight", "fc.weight")
ODD = ("a:b", "a,b", "a b", "a&b=c", "größe", "a%2Cb", "a+b", "%", "x:0.5,y:1", "#", "?")


def test_drawn_recipes_come_back() -> None:
    for seed in range(500):
        recipe = Recipe.draw(Random(seed), NAMES)
        query = to_query("fashion/lenet5", recipe)
        assert len(query) < MAX_LENGTH
        assert query.isascii()
        for text in (query, "?" + query):
            assert from_query(text) == ("fashion/lenet5", recipe, {})


def test_layer_names_of_any_letters_come_back() -> None:
    for seed in range(200):
        recipe = Recipe.draw(Random(seed), ODD)
        assert from_query(to_query("a&b", recipe))[:2] == ("a&b", recipe)


def test_a_link_reads_like_what_it_says() -> None:
    recipe = Recipe(Prune(0.9, layers={"fc.weight": 0.5}, exclude=("a", "b")), Quantize(4))
    precise = Recipe(Prune(layers={"fc.weight": 0.123456789}))
    assert from_query(to_query("", precise))[1] == precise
    assert to_query("fashion/lenet5", recipe) == (
        "v=1&m=fashion/lenet5&prune.sparsity=0.9"
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
def test_links_typed_by_hand(query, recipe) -> None:
    assert from_query(query)[1] == recipe


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("v=2", "version '2'; this is version 1"),
        ("v=", "version ''"),
        ("sparsity=0.9", "unknown key 'sparsity'"),
        ("prune.ratio=1", r"unknown key 'prune\.ratio'"),
        ("prune=0.5", "unknown key 'prune'"),
        ("budget=3", "unknown key 'budget'"),
        ("m=a&m=b", "gives 'm' twice"),
        ("quantize.bits=4&quantize.bits=5", r"gives 'quantize\.bits' twice"),
        ("prune.sparsity=1.5", r"prune\.sparsity must be a number"),
        ("prune.sparsity=", r"prune\.sparsity must be a number"),
        ("prune.sparsity=nan", r"prune\.sparsity must be a number"),
        ("prune.sparsity=inf", r"prune\.sparsity must be a number"),
        ("prune.sparsity=" + "9" * 4000, r"prune\.sparsity must be a number"),
        ("quantize.bits=1", r"quantize\.bits must be one of"),
        ("quantize.bits=four", r"quantize\.bits must be one of"),
        ("prune.criterion=5", r"prune\.criterion must be one of"),
        ("prune.layers=fc", r"prune\.layers must name layers"),
        ("prune.layers=fc:", r"prune\.layers must be a number"),
        ("prune.layers=:0.5", r"prune\.layers must name layers"),
        ("prune.layers=fc:much", r"prune\.layers must be a number"),
        ("m=" + "a" * MAX_LENGTH, f"longer than {MAX_LENGTH}"),
    ],
)
def test_bad_links(query, message) -> None:
    with pytest.raises(RecipeError, match=message):
        from_query(query)


def test_the_pages_own_values_travel_along() -> None:
    query = to_query("m", Recipe(Prune(0.9)), {"budget": "20000", "floor": "0.9"})
    extra = frozenset({"budget", "floor"})
    assert from_query(query, extra) == (
        "m",
        Recipe(Prune(0.9)),
        {"budget": "20000", "floor": "0.9"},
    )


def test_a_link_without_a_model_has_none() -> None:
    assert from_query("prune.sparsity=0.9")[0] is None
    assert unquote(to_query("x/y", Recipe())) == "v=1&m=x/y"


@pytest.mark.parametrize("query", ["quantize.bits=0_4", "prune.sparsity=٠.٥", "prune.sparsity=1e"])
def test_a_number_is_written_plainly(query) -> None:
    with pytest.raises(RecipeError):
        from_query(query)
