"""Does every file predict what was reported of it? Length and predictions, in fresh processes.

Draws recipes over the whole schema for the built-in models, saves each file, and reloads all of
them in two new processes, one of which is kept to AVX2 instructions. Any difference in length or
predictions is printed and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import _table
import torch
from _predict import AVX2, Variant, in_fresh_process

import workbench as wb
from workbench.evaluation.judge import predict
from workbench.evaluation.measure import steps
from workbench.evaluation.store import Store
from workbench.recipe import PARTS
from workbench.recipe.schema import specs

WHOLE = 5000
# Judging one by one pads nothing and shares nothing, so a part of the split stands for it.
PART = dict.fromkeys(wb.models(), 1000) | {"fashion/lenet5": 500, "fashion/resnet": 200}
EXTREMES = (
    {},
    {"prune": {"sparsity": 0}},
    {"prune": {"sparsity": 0.99}},
    {"quantize": {"bits": 2}},
    {"prune": {"sparsity": 0.99}, "quantize": {"bits": 2}},
    {"prune": {"sparsity": 0}, "quantize": {"bits": 32}},
)


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
        recipes = draw(wb.model(name), share, options.seed)
        drawn |= {value for recipe in recipes for value in chosen(recipe)}
        with tempfile.TemporaryDirectory() as folder:
            counts = compare(wb.model(name), recipes, Path(folder))
        wrong += counts[-1] + counts[-2]
        rows.append((name, len(recipes), *counts))
    columns = (
        "model",
        "recipes",
        "files reloaded",
        "comparisons",
        "other length",
        "other predictions",
    )
    print(_table.table(columns, rows))
    missed = every_choice() - drawn
    print(f"\nChoices of the schema never drawn: {', '.join(sorted(missed)) or 'none'}.")
    sys.exit(1 if wrong else 0)


def draw(model: wb.Model, count: int, seed: int) -> list[wb.Recipe]:
    """Return the extremes and `count` recipes in all."""
    rng = Random(f"{seed} {model.name}")
    recipes = [wb.Recipe.from_json(extreme) for extreme in EXTREMES[:count]]
    return recipes + [wb.Recipe.draw(rng, model.layers) for _ in range(count - len(recipes))]


def compare(model: wb.Model, recipes: list[wb.Recipe], folder: Path) -> tuple[int, int, int, int]:
    """Return files reloaded, comparisons made, and those whose length or predictions differ."""
    part = PART[model.name]
    whole = [Variant(t, b, WHOLE) for t in (1, 2) for b in (250, 5000)]
    parts = [Variant(t, b, part) for t in (1, 2) for b in (1, 7)]
    variants = [*whole, *parts]
    split = model.task.split("validation")
    expected: dict[str, dict[str, int | str]] = {}
    for number, recipe in enumerate(recipes):
        (*_, report) = steps(model, recipe, store=Store())
        artifact = wb.compress(model, recipe)
        path = artifact.save(folder / f"{number:04}.safetensors")
        classes = predict(model, artifact.weights(), split.examples)
        assert report.accuracy == (classes == split.labels).mean()
        expected[path.name] = {
            "bytes": report.bytes,
            **{
                str(v): hashlib.sha256(classes[: v.examples].tobytes()).hexdigest()
                for v in variants
            },
        }
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda e: in_fresh_process(folder, variants, e), ({}, AVX2)))
    comparisons = lengths = predictions = 0
    for answer in found:
        for name, wanted in expected.items():
            for key, value in wanted.items():
                comparisons += 1
                if answer[name][key] != value:
                    print(f"{model.name} {name} {key}: {recipes[int(name[:4])].to_json()}")
                    lengths += key == "bytes"
                    predictions += key != "bytes"
    return sum(map(len, found)), comparisons, lengths, predictions


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
