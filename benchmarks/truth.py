"""Check that every saved file has the reported size and results, in new processes.

Draws recipes from the full schema for the built-in models, saves each file, and loads all of them
in two new processes, with one thread and with two. One process is restricted to AVX2 instructions.
Any difference in size, metrics or confusion matrix is printed and sets the exit status to 1.
Training is limited to a few steps, since its quality does not matter. Sums of logarithms may differ
in the last bits under other instructions: they are compared to 1e-6 there, and exactly in the other
process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

import _table
import torch
from _reload import AVX2, figures, in_fresh_process

import workbench as wb
from tests.recipes import random_recipe
from workbench.cache.results import ResultCache
from workbench.errors import WorkbenchError
from workbench.evaluation.measure import iter_reports
from workbench.recipe import PARTS
from workbench.recipe.schema import specs

EXTREMES = (
    {},
    {"prune": {"sparsity": 0}},
    {"prune": {"sparsity": 0.99}},
    {"quantize": {"bits": 2}},
    {"prune": {"sparsity": 0.99}, "quantize": {"bits": 2}},
    {"prune": {"sparsity": 0}, "quantize": {"bits": 32}},
)
STEPS = 2
TOLERANCE = 1e-6


def main() -> None:
    """Draw, save, load, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", type=int, default=210, help="how many, over all models")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    command = f"python benchmarks/truth.py --recipes {options.recipes} --seed {options.seed}"
    print(f"{_table.machine()}\n`{command}`\n")
    rows, wrong, drawn = [], 0, set()
    for number, name in enumerate(wb.models()):
        share = options.recipes // len(wb.models()) + (number < options.recipes % len(wb.models()))
        model = wb.model(name)
        with tempfile.TemporaryDirectory() as folder:
            counts, recipes = compare(model, draw(model, share, options.seed), Path(folder))
        drawn |= {value for recipe in recipes for value in choices(recipe)}
        wrong += counts[-1] + counts[-2]
        rows.append((f"`{name}`", *counts))
        print(rows[-1], file=sys.stderr, flush=True)
    columns = ("model", "files", "loaded", "comparisons", "different size", "different results")
    print(_table.table(columns, rows))
    missed = all_choices() - drawn
    print(f"\nChoices of the schema never drawn: {', '.join(sorted(missed)) or 'none'}.")
    sys.exit(1 if wrong else 0)


def draw(model: wb.Model, count: int, seed: int) -> list[wb.Recipe]:
    """Return `count` recipes, starting with the extremes."""
    rng = Random(f"{seed} {model.name}")
    recipes = [wb.Recipe.from_json(extreme) for extreme in EXTREMES[:count]]
    return recipes + [short(random_recipe(rng, model.layers)) for _ in range(count - len(recipes))]


def short(recipe: wb.Recipe) -> wb.Recipe:
    """Return `recipe` with few training steps, if it trains."""
    if recipe.train is None:
        return recipe
    return replace(recipe, train=replace(recipe.train, steps=min(STEPS, recipe.train.steps)))


def compare(
    model: wb.Model, recipes: list[wb.Recipe], folder: Path
) -> tuple[tuple[int, int, int, int, int], list[wb.Recipe]]:
    """Return the counts of the table's columns, and the recipes that the model supports."""
    expected: dict[str, tuple[wb.Recipe, dict[str, Any]]] = {}
    for number, recipe in enumerate(recipes):
        try:
            (*_, report) = iter_reports(model, recipe, store=ResultCache())
        except WorkbenchError as error:  # the model does not support the combination
            print(f"{model.name}: {error}", file=sys.stderr)
            continue
        path = wb.compress(model, recipe).save(folder / f"{number:04}.safetensors")
        values = {"bytes": report.bytes, "1": figures(report), "2": figures(report)}
        expected[path.name] = recipe, values
    comparisons = lengths = other = 0
    for environment in ({}, AVX2):
        approximate = bool(environment) and model.task.metric.counts != "classes"
        results = in_fresh_process(folder, environment, threads=(1, 2))
        for name, (recipe, values) in expected.items():
            for key, value in values.items():
                comparisons += 1
                if not same(results[name][key], value, approximate):
                    print(f"{model.name} {name} {key} {environment}: {recipe.to_json()}")
                    lengths += key == "bytes"
                    other += key != "bytes"
    files = len(expected)
    return (files, 2 * files, comparisons, lengths, other), [
        recipe for recipe, _ in expected.values()
    ]


def same(actual: Any, expected: Any, approximate: bool) -> bool:
    """Return whether two sizes or results are equal, or nearly equal if `approximate`."""
    if not approximate or isinstance(expected, int):
        return bool(actual == expected)
    pairs = [(actual[0][name], value) for name, value in expected[0].items()]
    return all(abs(a - b) <= TOLERANCE * abs(b) for a, b in pairs)


def choices(recipe: wb.Recipe) -> set[str]:
    """Return the values of the choice fields of `recipe`."""
    parts = {key: getattr(recipe, key) for key in PARTS if getattr(recipe, key) is not None}
    return {
        f"{key}.{field.name}={getattr(part, field.name)}"
        for key, part in parts.items()
        for field in specs(part)
        if field.kind == "choice"
    }


def all_choices() -> set[str]:
    """Return all values of the choice fields of the schema."""
    return {
        f"{key}.{field.name}={choice.value}"
        for key, part in PARTS.items()
        for field in specs(part)
        if field.kind == "choice"
        for choice in field.choices
    }


if __name__ == "__main__":
    main()
