"""Each criterion has a default scope, and a recipe writes the scope if it is not global."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.raises import raises
from workbench.panels import controls
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.link import from_query, to_query
from workbench.recipe.prune import CRITERIA, DEFAULT_SCOPES, SCOPES

NAMES = [choice.value for choice in CRITERIA]
SCOPE_NAMES = [choice.value for choice in SCOPES]


def test_every_criterion_has_a_default_scope():
    assert list(DEFAULT_SCOPES) == NAMES
    assert {*DEFAULT_SCOPES.values()} <= {*SCOPE_NAMES}


@pytest.mark.parametrize("criterion", NAMES)
def test_scope_defaults_to_that_of_the_criterion(criterion):
    assert Prune(0.5, criterion).scope == DEFAULT_SCOPES[criterion]
    assert Prune(0.5, criterion) == Prune(0.5, criterion, scope=DEFAULT_SCOPES[criterion])
    for scope in SCOPE_NAMES:
        assert Prune(0.5, criterion, scope=scope).scope == scope


@pytest.mark.parametrize("criterion", NAMES)
@pytest.mark.parametrize("scope", SCOPE_NAMES)
def test_json_link_and_controls_preserve_the_scope(criterion, scope):
    recipe = Recipe(prune=Prune(0.5, criterion, scope=scope))
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert from_query(to_query("fashion/lenet5", recipe))[1] == recipe
    assert controls.recipe(controls.values(recipe)) == recipe


@pytest.mark.parametrize(
    ("prune", "text"),
    [
        (Prune(0.9), '{"prune":{"sparsity":0.9}}'),
        (Prune(0.9, scope="global"), '{"prune":{"sparsity":0.9}}'),
        (Prune(0.9, scope="uniform"), '{"prune":{"sparsity":0.9,"scope":"uniform"}}'),
        (Prune(0.9, "random"), '{"prune":{"sparsity":0.9,"criterion":"random"}}'),
        (
            Prune(0.9, "curvature"),
            '{"prune":{"sparsity":0.9,"criterion":"curvature","scope":"adaptive"}}',
        ),
        (
            Prune(0.9, "curvature", scope="global"),
            '{"prune":{"sparsity":0.9,"criterion":"curvature","scope":"global"}}',
        ),
    ],
)
def test_default_global_scope_is_not_written(prune, text):
    assert Recipe(prune=prune).to_json() == text
    assert ("adaptive" in controls.summary(Recipe(prune=prune))) == (prune.scope == "adaptive")


@pytest.mark.parametrize("criterion", [None, 1, [], {}, "Curvature"])
def test_unknown_criterion(criterion):
    with raises("recipe.unknown_choice", "prune.criterion"):
        Prune(0.5, criterion)


@pytest.mark.parametrize(
    ("before", "chosen", "scope"),
    [
        (None, Prune(0.5, "curvature", scope="global"), "adaptive"),
        (Prune(0.5), Prune(0.5, "curvature", scope="global"), "adaptive"),
        (Prune(0.5, "curvature"), Prune(0.5, "magnitude", scope="adaptive"), "global"),
        (Prune(0.5), Prune(0.5, "curvature", scope="uniform"), "uniform"),  # both changed
        (Prune(0.5, scope="uniform"), Prune(0.5, "curvature", scope="uniform"), "uniform"),
        (Prune(0.5, "curvature"), Prune(0.5, "curvature", scope="global"), "global"),
        (Prune(0.5), Prune(0.7), "global"),
    ],
)
def test_page_changes_a_default_scope_with_the_criterion(before, chosen, scope):
    others = Recipe(quantize=Quantize(4))
    now = controls.with_default_scope(replace(others, prune=chosen), replace(others, prune=before))
    assert now == replace(others, prune=replace(chosen, scope=scope))


def test_page_keeps_a_recipe_without_pruning():
    assert controls.with_default_scope(Recipe(), Recipe(prune=Prune(0.5, "curvature"))) == Recipe()
