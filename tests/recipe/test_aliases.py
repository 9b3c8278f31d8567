"""Names known from papers may stand for the values of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.raises import raises
from workbench.recipe import PARTS, Prune, Recipe
from workbench.recipe.link import from_query
from workbench.recipe.schema import specs

ALIASES = {
    ("structure", "criterion"): {"taylor": "gradient"},
    ("prune", "criterion"): {"taylor": "gradient", "sparsegpt": "curvature"},
    ("prune", "scope"): {"lamp": "adaptive"},
    ("quantize", "rounding"): {"gptq": "compensated"},
    ("train", "rounding"): {"lsq": "learned"},
}
CASES = [(*place, *names) for place, table in ALIASES.items() for names in table.items()]
METHODS = Path(__file__).parents[2] / "docs" / "methods.md"


def test_the_schema_lists_the_aliases():
    listed = {(part, s.name): s.aliases for part in PARTS for s in specs(PARTS[part]) if s.aliases}
    assert listed == ALIASES


@pytest.mark.parametrize(("part", "field", "alias", "value"), CASES)
def test_an_alias_is_accepted(part, field, alias, value):
    expected = Recipe(**{part: {field: value}})
    assert Recipe(**{part: PARTS[part](**{field: alias})}) == expected
    assert Recipe.from_json({part: {field: alias}}) == expected
    assert from_query(f"{part}.{field}={alias}")[1] == expected
    assert expected.to_json() == Recipe.from_json({part: {field: alias}}).to_json()
    assert f"alias `{alias}`" in METHODS.read_text(encoding="utf-8")


@pytest.mark.parametrize(("part", "field", "alias", "value"), CASES)
def test_an_error_lists_the_aliases(part, field, alias, value):
    with raises("recipe.unknown_choice", f"{value} (or {alias})"):
        PARTS[part](**{field: "unknown"})


def test_the_default_scope_follows_the_criterion():
    assert Prune(criterion="sparsegpt").scope == "adaptive"
