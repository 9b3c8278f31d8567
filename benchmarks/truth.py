"""Does every file do what was reported of it? Length and figures, in fresh processes.

Draws recipes over the whole schema for the built-in models, saves each file, and reloads all of
them in two new processes, on one thread and on two; one of the processes is kept to AVX2
instructions. Any difference in length, figures or confusion is printed and makes the exit status 1.
Training is cut to a few steps: what is compared is the file, however good. Sums of logarithms may
end with other bits under other instructions: they are compared to 1e-6 there, and to the last bit
in the other process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import _table
import torch
from _reload import AVX2, figures, in_fresh_process

import workbench as wb
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
CLOSE = 1e-6


def main() -> None:
    """Draw, save, reload, compare."""
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
            counts, made = compare(model, draw(model, share, options.seed), Path(folder))
        drawn |= {value for recipe in made for value in chosen(recipe)}
        wrong += counts[-1] + counts[-2]
        rows.append((f"`{name}`", *counts))
        print(rows[-1], file=sys.stderr, flush=True)
    columns = ("model", "files", "reloaded", "comparisons", "other length", "other figures")
    print(_table.table(columns, rows))
    missed = every_choice() - drawn
    print(f"\nChoices of the schema never drawn: {', '.join(sorted(missed)) or 'none'}.")
    sys.exit(1 if wrong else 0)


def draw(model: wb.Model, count: int, seed: int) -> list[wb.Recipe]:
    """Return the extremes and `count` recipes in all."""
    rng = Random(f"{seed} {model.name}")
    recipes = [wb.Recipe.from_json(extreme) for extreme in EXTREMES[:count]]
    return recipes + [short(wb.Recipe.draw(rng, model.layers)) for _ in range(count - len(recipes))]


def short(recipe: wb.Recipe) -> wb.Recipe:
    """Return `recipe` with few steps of training, if it trains."""
    if recipe.train is None:
        return recipe
    return replace(recipe, train=replace(recipe.train, steps=min(STEPS, recipe.train.steps)))


def compare(
    model: wb.Model, recipes: list[wb.Recipe], folder: Path
) -> tuple[tuple[int, int, int, int, int], list[wb.Recipe]]:
    """Return files, reloads, comparisons, those that differ, and the recipes that the model takes.

    What differs is counted by length and by figures.
    """
    expected: dict[str, tuple[wb.Recipe, dict[str, Any]]] = {}
    for number, recipe in enumerate(recipes):
        try:
            (*_, report) = iter_reports(model, recipe, store=ResultCache())
        except WorkbenchError as error:  # a combination that the model refuses
            print(f"{model.name}: {error}", file=sys.stderr)
            continue
        path = wb.compress(model, recipe).save(folder / f"{number:04}.safetensors")
        wanted = {"bytes": report.bytes, "1": figures(report), "2": figures(report)}
        expected[path.name] = recipe, wanted
    comparisons = lengths = other = 0
    for environment in ({}, AVX2):
        loose = bool(environment) and model.task.metric.counts != "classes"
        answer = in_fresh_process(folder, environment, threads=(1, 2))
        for name, (recipe, wanted) in expected.items():
            for key, value in wanted.items():
                comparisons += 1
                if not same(answer[name][key], value, loose):
                    print(f"{model.name} {name} {key} {environment}: {recipe.to_json()}")
                    lengths += key == "bytes"
                    other += key != "bytes"
    files = len(expected)
    return (files, 2 * files, comparisons, lengths, other), [one for one, _ in expected.values()]


def same(found: Any, wanted: Any, loose: bool) -> bool:
    """Whether two lengths or lists of figures are equal, or nearly so."""
    if not loose or isinstance(wanted, int):
        return bool(found == wanted)
    pairs = [(found[0][name], value) for name, value in wanted[0].items()]
    return all(abs(one - other) <= CLOSE * abs(other) for one, other in pairs)


def chosen(recipe: wb.Recipe) -> set[str]:
    """Return the choices that `recipe` makes, each as text."""
    parts = {key: getattr(recipe, key) for key in PARTS if getattr(recipe, key) is not None}
    return {
        f"{key}.{field.name}={getattr(part, field.name)}"
        for key, part in parts.items()
        for field in specs(part)
        if field.kind == "choice"
    }


def every_choice() -> set[str]:
    """Return all choices that the schema has, each as text."""
    return {
        f"{key}.{field.name}={choice.value}"
        for key, part in PARTS.items()
        for field in specs(part)
        if field.kind == "choice"
        for choice in field.choices
    }


if __name__ == "__main__":
    main()
