"""Check that the error bound of the bfloat16 fast path is large enough.

The fast path accepts a bfloat16 prediction if its margin is above `SAFETY` times the largest error
of bfloat16 on the first examples. For random recipes, this prints the largest error on any example
and the largest margin of any wrong prediction, both relative to that first error.

    python benchmarks/fast_path_bound.py [--recipes 180]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

import _table
import numpy as np
import torch

import workbench as wb
from tests.recipes import random_recipe
from workbench.evaluation import fast_path
from workbench.evaluation.batch_size import MAX_FIRST_SAMPLE
from workbench.recipe import Recipe
from workbench.runtime.batch import to_channels_last
from workbench.runtime.shell import shell


class Result(NamedTuple):
    """One recipe, relative to the largest error on the first examples."""

    error: float
    wrong_margin: float


def main() -> None:
    """Test random recipes of the image models; the exit status is 1 if a wrong one is accepted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", type=int, default=180, help="how many, over all models")
    count = parser.parse_args().recipes
    print(f"{_table.machine()}\n`python benchmarks/fast_path_bound.py --recipes {count}`\n")
    rng, rows, worst = Random(0), [], 0.0
    names = wb.models("fashion")  # inputs of other tasks are not all floating point
    for number, name in enumerate(names):
        share = count // len(names) + (number < count % len(names))
        model = wb.model(name)
        drawn = [random_recipe(rng, model.layers).untrained for _ in range(share)]
        seeds = [rng.randrange(2**31) for _ in drawn]
        pairs = zip(drawn, seeds, strict=True)
        results = [r for recipe, seed in pairs if (r := compare(model, recipe, seed))]
        worst = max([worst, *(r.wrong_margin for r in results)])
        maxima = [f"{max(column):.2f}" for column in zip(*results, strict=True)]
        rows.append([name, len(results), *maxima])
    columns = ("model", "recipes", "largest error", "largest margin of a wrong prediction")
    print(_table.table(columns, rows))
    print(f"\nA margin above {fast_path.SAFETY:g} is accepted.")
    sys.exit(0 if worst < fast_path.SAFETY else 1)


@torch.no_grad()
def compare(model: wb.Model, recipe: Recipe, seed: int) -> Result | None:
    """Run one file in both precisions on validation; None if bfloat16 changes nothing."""
    artifact = wb.compress(model, recipe)
    weights = {n: to_channels_last(w) for n, w in artifact.operands().items()}
    rounded = {n: w.bfloat16() if w.is_floating_point() else w for n, w in weights.items()}
    inputs = to_channels_last(model.task.inputs(model.task.split("validation").examples))
    run = shell(model.with_spec(artifact.spec), fast=True)
    exact = torch.cat([run(weights, part) for part in inputs.split(500)])
    approximate = torch.cat([run(rounded, part.bfloat16()).float() for part in inputs.split(500)])
    change = approximate - exact
    error = (change.amax(dim=1) - change.amin(dim=1)) / fast_path.error_scale(approximate)
    first = np.random.default_rng(seed).permutation(len(inputs))[:MAX_FIRST_SAMPLE]
    unit = float(error[torch.from_numpy(first)].max())
    if not unit:
        return None
    wrong = approximate.argmax(dim=1) != exact.argmax(dim=1)
    margins = fast_path.margin(approximate)[wrong]
    return Result(float(error.max()) / unit, float(margins.max()) / unit if len(margins) else 0.0)


if __name__ == "__main__":
    main()
