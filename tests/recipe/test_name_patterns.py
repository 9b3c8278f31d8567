"""Patterns of layer names mean the same as the names that they match."""

from __future__ import annotations

from contextlib import closing
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, strategies as st

import workbench as wb
from tests.raises import raises
from workbench.compression.quantize import bits_of
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.name_patterns import NameList
from workbench.session import Session

MODEL = "fashion/lenet-300-100"
NAMES = tuple(f"model.layers.{k}.{part}.weight" for k in range(12) for part in ("q", "mlp.up"))


@given(st.lists(st.text("ab.*?[]-!", max_size=8), max_size=4), st.text("ab.[]", max_size=8))
def test_membership_is_that_of_fnmatch(items, name) -> None:
    expected = name in items or any(
        fnmatchcase(name, item) for item in items if not set("*?[").isdisjoint(item)
    )
    assert (name in NameList(items)) == expected


def test_an_exact_name_and_a_longer_pattern_come_first() -> None:
    bits = Quantize(8, layers={"*": 2, "*.up.*": 3, NAMES[1]: 5}, exclude=["*.11.*"])
    assert [bits_of(name, bits) for name in (NAMES[0], NAMES[1], NAMES[3])] == [2, 5, 3]
    assert bits_of(NAMES[-1], bits) == 32


def test_a_name_with_brackets_is_itself() -> None:
    assert bits_of("stages[0].weight", Quantize(4, layers={"stages[0].weight": 8})) == 8


RECIPE = Recipe(
    Prune(0.5, layers={"*.1?.*": 0.9}),
    Quantize(4, exclude=["*.mlp.*", NAMES[0]]),
)


def test_expanding_names_every_layer() -> None:
    expanded = RECIPE.expanded(NAMES)
    assert expanded.quantize.exclude == tuple(sorted({*NAMES[1::2], NAMES[0]}))
    assert dict(expanded.prune.layers) == dict.fromkeys(NAMES[20:], 0.9)
    assert expanded.expanded(NAMES) is expanded
    assert Recipe.from_json(RECIPE.to_json()) == RECIPE


@pytest.mark.parametrize(
    ("part", "fact"),
    [
        (Quantize(4, exclude=["*.lm_haed.weight"]), "lm_head.weight"),
        (Quantize(4, layers={"*.lm_haed.weight": 8}), "quantize.layers"),
        (Prune(0.5, exclude=["*nothing*"]), NAMES[0]),
    ],
)
def test_a_pattern_that_matches_nothing_is_an_error(part, fact) -> None:
    with raises("recipe.unknown_layer", fact):
        Recipe(part).check_names(
            ["lm_head.weight", *NAMES] if "*nothing*" not in str(part) else NAMES
        )


def test_tensors_that_are_no_layers_may_be_excluded_but_not_set() -> None:
    others = ["norm.weight", "lm_head.bias"]
    Recipe(Quantize(4, exclude=["*norm*", "lm_head.bias"])).check_names(NAMES, others)
    with raises("recipe.unknown_layer", "norm.weight"):
        Recipe(Quantize(4, layers={"norm.weight": 8})).check_names(NAMES, others)
    with raises("recipe.unknown_layer", "nomr"):
        Recipe(Quantize(4, exclude=["*nomr*"])).check_names(NAMES, others)


def test_a_file_of_patterns_is_that_of_the_names() -> None:
    model = wb.model(MODEL)
    patterns = Recipe(Quantize(4, layers={"fc*": 3}, exclude=["fc3.*"]))
    names = patterns.expanded(model.layers)
    assert names.quantize.exclude == ("fc3.weight",)
    by_pattern, by_name = (wb.compress(model, recipe) for recipe in (patterns, names))
    assert by_pattern.ledger.rows == by_name.ledger.rows
    assert by_pattern.recipe == patterns
    assert wb.Artifact.from_bytes(by_pattern.to_bytes()).recipe == patterns


def test_a_session_shows_the_names() -> None:
    recipe = Recipe(Quantize(4, exclude=["fc3.*"]))
    with closing(Session(MODEL, recipe)) as session:
        assert session.recipe.quantize.exclude == ("fc3.weight",)
        session.set(Recipe(Quantize(4, exclude=["fc1*"])))
        assert session.recipe.quantize.exclude == ("fc1.weight",)
