"""Every field has texts and limits, and accepts what it draws."""

from __future__ import annotations

from dataclasses import fields
from random import Random

import pytest

from tests.recipes import SUBSETS, random_value
from workbench.recipe import PARTS, Recipe
from workbench.recipe.schema import specs

ALL = [(key, part, spec) for key, part in PARTS.items() for spec in specs(part)]
IDS = [f"{key}.{spec.name}" for key, _, spec in ALL]
KINDS = {"real", "integer", "choice", "text", "layers", "names"}

every_field = pytest.mark.parametrize(("key", "part", "spec"), ALL, ids=IDS)


def test_parts_are_the_fields_of_a_recipe() -> None:
    assert set(PARTS) == {field.name for field in fields(Recipe)}


@every_field
def test_texts(key, part, spec) -> None:
    assert spec.label
    assert spec.label == spec.label.strip()
    assert spec.help.endswith(".")


@every_field
def test_choices_have_texts(key, part, spec) -> None:
    for choice in spec.choices:
        assert choice.label
        assert not choice.help or choice.help.endswith(".")
    values = [choice.value for choice in spec.choices]
    assert len(set(values)) == len(values)
    assert bool(values) or spec.kind != "choice"


@every_field
def test_limits(key, part, spec) -> None:
    assert spec.kind in KINDS
    if spec.kind in {"real", "integer"}:
        assert spec.low < spec.high
        assert 0 < spec.step <= spec.high - spec.low
        for value in (spec.low, spec.high):
            assert getattr(part(**{spec.name: value}), spec.name) == value


@every_field
def test_default_is_allowed_and_canonical(key, part, spec) -> None:
    default = getattr(part(), spec.name)
    assert spec.check(default, key) == default
    assert type(spec.check(default, key)) is type(default)


@pytest.mark.slow
@every_field
def test_random_values_are_allowed(key, part, spec) -> None:
    rng = Random(0)
    drawn = [random_value(spec, rng, ("a", "b", "c")) for _ in range(300)]
    for value in drawn:
        part(**{spec.name: value})
    if spec.choices and spec.kind == "choice":
        assert set(drawn) == {choice.value for choice in spec.choices}
    if spec.kind in {"real", "integer"}:
        assert set(SUBSETS.get(spec.name, (spec.low, spec.high))) <= set(drawn)
    if spec.kind == "text":
        assert set(drawn) == set(SUBSETS[spec.name])


@every_field
def test_every_choice_is_accepted(key, part, spec) -> None:
    for choice in spec.choices:
        value = {"a": choice.value} if spec.kind == "layers" else choice.value
        assert getattr(part(**{spec.name: value}), spec.name) == value
