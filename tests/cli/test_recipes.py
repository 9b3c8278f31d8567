"""Every field of a recipe is an option on the console, generated from its field spec."""

from __future__ import annotations

import argparse

import pytest

import workbench as wb
from workbench.cli.recipes import add_parts, add_recipe, read_recipe
from workbench.recipe import PARTS
from workbench.recipe.schema import specs

FIELDS = [(part, field) for part in PARTS for field in specs(PARTS[part])]


def read(*arguments):
    parser = argparse.ArgumentParser()
    add_recipe(parser, "nothing happens")
    add_parts(parser, PARTS)
    return read_recipe(parser.parse_args(arguments))


def example_of(field):
    """Return a value of a field that is not its default, and the words of its option."""
    if field.kind == "names":
        return ["a.weight", "b.weight"], ["b.weight", "a.weight"]
    scalar = field.choices[-1].value if field.choices else field.high or "another/model"
    if field.kind == "layers":
        return {"a.weight": scalar, "b=c": scalar}, [f"a.weight={scalar}", f"b=c={scalar}"]
    if field.kind == "integer":
        return int(scalar), [str(int(scalar))]
    return scalar, [str(scalar)]


@pytest.mark.parametrize(("part", "field"), FIELDS, ids=lambda x: getattr(x, "name", x))
def test_a_field_of_a_recipe_is_an_option(part, field):
    value, words = example_of(field)
    base = {"train": {"start": "scratch"}} if part == "train" else {}
    expected = {part: {**base.get(part, {}), field.name: value}}
    more = ["--train.start", "scratch"] if base and field.name != "start" else []
    assert read(f"--{part}.{field.name}", *words, *more) == wb.Recipe.from_json(expected)


def test_options_override_the_recipe():
    text = '{"prune": {"sparsity": 0.9, "scope": "uniform"}, "quantize": {"bits": 8}}'
    assert read("--recipe", text) == wb.Recipe.from_json(text)
    changed = read("--recipe", text, "--prune.sparsity", "0.7", "--share.clusters", "4")
    assert changed.as_dict() == {
        "prune": {"sparsity": 0.7, "scope": "uniform"},
        "share": wb.Recipe(share=wb.Share(clusters=4)).as_dict()["share"],
        "quantize": {"bits": 8},
    }
    assert read() == wb.Recipe()


@pytest.mark.slow
def test_fields_are_options_of_commands(ask, workbench):
    short = ask("measure", "fashion/lenet-300-100", "--prune.sparsity", 0.7, "--quantize.bits", 4)
    assert short["recipe"]["prune"]["sparsity"] == 0.7
    assert short["recipe"]["quantize"]["bits"] == 4
    for command in ("measure", "compress", "train", "distill", "sensitivity"):
        _, text, _ = workbench(command, "--help")
        assert "--prune.sparsity 0..0.99" in text
        assert "The fraction of weights set to zero." in text
        assert text.count("usage:") == 1
        assert "[--PART.FIELD VALUE ...]" in text.partition("positional")[0]
