"""Controls come from the schema, and recipes convert to their values and back."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from tests.recipes import random_recipe
from workbench.panels import controls
from workbench.recipe import PARTS, Prune, Quantize, Recipe
from workbench.recipe.off import disabled_part
from workbench.recipe.schema import Choice, spec, specs

NAMES = ["conv1.weight", "fc1.weight", "fc2.weight"]


@pytest.mark.parametrize("seed", range(40))
def test_values_and_back(seed):
    recipe = random_recipe(Random(seed), NAMES).untrained
    back = controls.recipe(controls.values(recipe))
    disabled = [k for k in PARTS if getattr(recipe, k) is not None and getattr(back, k) is None]
    assert all(getattr(recipe, key) == disabled_part(key) for key in disabled)
    assert {k: v for k, v in recipe.as_dict().items() if k not in disabled} == back.as_dict()


def test_a_disabled_part_is_omitted_unless_another_field_is_set():
    assert controls.recipe(controls.values(Recipe())) == Recipe()
    values = controls.values(Recipe()) | {"prune.criterion": "gradient"}
    assert controls.recipe(values) == Recipe(prune=Prune(sparsity=0, criterion="gradient"))


def test_every_field_has_a_control():
    described = {field["key"] for part in controls.describe() for field in part["fields"]}
    live = {key: part for key, part in PARTS.items() if key not in controls.SEPARATE_PARTS}
    assert described == {f"{key}.{s.name}" for key, part in live.items() for s in specs(part)}
    assert set(controls.values(Recipe())) == described


def test_a_new_part_appears_automatically(monkeypatch):
    @dataclass(frozen=True)
    class Polish:
        shine: float = spec(0.1, "real", "shine", "How bright.", low=0, high=1, step=0.1)
        cloth: str = spec(
            "wool", "choice", "cloth", "With what.", choices=(Choice("wool", "wool"),)
        )

    monkeypatch.setitem(controls.PARTS, "polish", Polish)
    part = controls.describe()[-1]
    assert [field["label"] for field in part["fields"]] == ["shine", "cloth"]
    assert [field["primary"] for field in part["fields"]] == [True, False]
    assert part["fields"][0]["percent"]


def test_conditions_of_visibility_name_existing_fields_and_values():
    described = {f["key"]: f for part in controls.describe() for f in part["fields"]}
    for name, (other, values) in controls.VISIBLE_IF.items():
        assert name in described
        assert {*values} < {choice["value"] for choice in described[other]["choices"]}


def test_a_summary_lists_the_settings():
    recipe = Recipe(prune=Prune(0.9, layers={"fc1.weight": 0.5}), quantize=Quantize(4, range="mse"))
    summary = controls.summary(recipe)
    assert summary.startswith(
        "sparsity 90\u202f% · sparsity by layer fc1.weight: 50\u202f% · bits 4"
    )
    assert summary.endswith("range least squared error")
    assert controls.summary(Recipe()) == "not compressed"
