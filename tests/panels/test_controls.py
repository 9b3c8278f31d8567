"""Controls come from the schema, and recipes convert to their values and back."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from tests.recipes import random_recipe
from workbench import zoo
from workbench.panels import controls
from workbench.recipe import PARTS, Adjust, Prune, Quantize, Recipe, Share, Structure
from workbench.recipe.off import disabled_part
from workbench.recipe.schema import Choice, spec, specs

NAMES = ["conv1.weight", "fc1.weight", "fc2.weight"]
RESNET = zoo.model("fashion/resnet")
"""A model on which every field can act."""


def described(model=RESNET, recipe=None):
    parts = controls.describe(model, recipe or Recipe())
    return {field["key"]: field for part in parts for field in part["fields"]}


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
    live = {key: part for key, part in PARTS.items() if key not in controls.SEPARATE_PARTS}
    assert set(described()) == {
        f"{key}.{s.name}" for key, part in live.items() for s in specs(part)
    }
    assert set(controls.values(Recipe())) == set(described())


def test_a_new_part_appears_automatically(monkeypatch):
    @dataclass(frozen=True)
    class Polish:
        shine: float = spec(0.1, "real", "shine", "How bright.", low=0, high=1, step=0.1)
        cloth: str = spec(
            "wool", "choice", "cloth", "With what.", choices=(Choice("wool", "wool"),)
        )

    monkeypatch.setitem(controls.PARTS, "polish", Polish)
    part = controls.describe(RESNET, Recipe())[-1]
    assert [field["label"] for field in part["fields"]] == ["shine", "cloth"]
    assert [field["primary"] for field in part["fields"]] == [True, False]
    assert part["fields"][0]["percent"]


def test_conditions_of_visibility_name_existing_fields_and_values():
    fields = described()
    for name, (other, values) in controls.VISIBLE_IF.items():
        assert name in fields
        assert {*values} < {choice["value"] for choice in fields[other]["choices"]}


def test_a_summary_lists_the_settings():
    recipe = Recipe(prune=Prune(0.9, layers={"fc1.weight": 0.5}), quantize=Quantize(4, range="mse"))
    summary = controls.summary(recipe)
    assert summary.startswith(
        "sparsity 90\u202f% · sparsity by layer fc1.weight: 50\u202f% · bits 4"
    )
    assert summary.endswith("range least squared error")
    assert controls.summary(Recipe()) == "not compressed"


def test_names_for_screen_readers_are_complete():
    fields = described()
    assert fields["prune.sparsity"]["name"] == "pruning: sparsity"
    assert fields["quantize.bits"]["name"] == "quantization: bits"
    assert all(field["label"] in field["name"] for field in fields.values())
    assert len({field["name"] for field in fields.values()}) == len(fields)


def test_bits_are_a_slider_with_labeled_stops():
    field = described()["quantize.bits"]
    assert field["stepped"]
    assert [choice["label"] for choice in field["choices"]] == [
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "16",
        "32",
    ]
    assert field["choices"][2]["spoken"] == "4 bits"
    assert not described()["adjust.batch_norm"]["stepped"]  # its choices are words


def test_the_first_level_has_the_headlines_and_the_second_all_large_controls():
    levels = {key: field["level"] for key, field in described().items()}
    assert {key for key, level in levels.items() if level == "start"} == controls.HEADLINES
    assert {key.partition(".")[0] for key, level in levels.items() if level == "explore"} == {
        *("structure", "factorize", "share", "activations")
    }


@pytest.mark.parametrize(
    ("recipe", "start", "explore"),
    [
        (Recipe(), "", ""),
        (Recipe(Prune(0.5), Quantize(4)), "", ""),
        (Recipe(Structure(0.5)), "Also active: structure: channels removed", ""),
        (
            Recipe(Structure(0.5), Quantize(4, range="mse")),
            "Also active: structure: channels removed, quantization: range",
            "Also active: quantization: range",
        ),
        (
            Recipe(Structure(0.5), Quantize(4, "fp16", granularity="group", range="mse")),
            "Also active: structure: channels removed, quantization: 16-bit format, quant",
            "Also active: quantization: 16-bit format, quantization: granularity, quantiz",
        ),
        (Recipe(Prune(0, criterion="gradient")), "", ""),  # nothing is pruned
        (Recipe(Prune(0, layers={"fc1.weight": 0.5})), "Also active: pruning: ", "Also"),
        (Recipe(Adjust("fold")), "Also active: adjustment: ", "Also"),
    ],
)
def test_active_settings_that_a_level_does_not_show(recipe, start, explore):
    texts = controls.hidden_settings(recipe)
    assert texts["start"].startswith(start)
    assert bool(texts["start"]) == bool(start)
    assert texts["explore"].startswith(explore)
    assert bool(texts["explore"]) == bool(explore)
    assert texts["everything"] == ""


def test_the_first_active_settings_are_named_and_the_others_counted():
    recipe = Recipe(Structure(0.5), Quantize(4, "fp16", granularity="group", range="mse"))
    assert controls.hidden_settings(recipe)["start"].endswith(
        "quantization: granularity, and 1 more"
    )


def test_what_each_part_mostly_does_is_named_first():
    quantize = Quantize(4, "fp16", granularity="group", range="mse")
    recipe = Recipe(Prune(0.5, criterion="curvature", scope="uniform"), quantize, share=Share(4))
    assert "weight sharing: shared values" in controls.hidden_settings(recipe)["start"]


def test_a_recipe_keeps_the_control_of_a_field_that_cannot_act():
    model = zoo.model("fashion/lenet5")
    assert "adjust.batch_norm" not in described(model)
    assert "adjust.batch_norm" in described(model, Recipe(Adjust("recalibrate")))


def test_only_some_fields_are_described():
    parts = controls.describe(RESNET, Recipe(), {"quantize.bits"})
    assert [field["key"] for part in parts for field in part["fields"]] == ["quantize.bits"]
