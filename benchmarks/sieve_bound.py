"""Is the bfloat16 sieve's bound wide enough? What its first examples show, against all of them.

The sieve believes a bfloat16 answer that leads by more than `SAFETY` times the largest change that
bfloat16 makes to any of the first examples. For drawn recipes this prints, in units of that largest
change, the largest change of any example and the largest lead of any answer that was wrong.

    python benchmarks/sieve_bound.py [--recipes 180]
"""

from __future__ import annotations

import argparse
import sys
from random import Random
from typing import NamedTuple

import _table
import numpy as np
import torch
from torch import Tensor

import workbench as wb
from workbench.evaluation import fast_path
from workbench.evaluation.batch_size import MAX_FIRST_SAMPLE
from workbench.recipe import Recipe
from workbench.runtime.batch import to_channels_last
from workbench.runtime.shell import shell


class Found(NamedTuple):
    """One recipe, in units of the largest change among the first examples."""

    change: float
    wrong: float


def main() -> None:
    """Draw recipes for every model and print one table; the status is 1 where an answer slips."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", type=int, default=180, help="how many, over all models")
    count = parser.parse_args().recipes
    print(f"{_table.machine()}\n`python benchmarks/sieve_bound.py --recipes {count}`\n")
    rng, rows, worst = Random(0), [], 0.0
    names = wb.models()
    for number, name in enumerate(names):
        share = count // len(names) + (number < count % len(names))
        model = wb.model(name)
        drawn = [Recipe.draw(rng, model.layers).untrained for _ in range(share)]
        found = [one for recipe in drawn if (one := look(model, recipe, rng.randrange(2**31)))]
        worst = max([worst, *(one.wrong for one in found)])
        most = [f"{max(getattr(one, field) for one in found):.2f}" for field in Found._fields]
        rows.append([name, len(found), *most])
    columns = ("model", "recipes", "largest change of any", "largest lead of a wrong answer")
    print(_table.table(columns, rows))
    print(f"\nA lead of more than {fast_path.SAFETY:g} is believed.")
    sys.exit(0 if worst < fast_path.SAFETY else 1)


@torch.no_grad()
def look(model: wb.Model, recipe: Recipe, seed: int) -> Found | None:
    """Run one file both ways on the validation images; None where bfloat16 changes nothing."""
    fine = {n: to_channels_last(w) for n, w in wb.compress(model, recipe).weights().items()}
    coarse = {n: w.bfloat16() if w.is_floating_point() else w for n, w in fine.items()}
    inputs = to_channels_last(model.task.inputs(model.task.split("validation").examples))
    run = shell(model, fast=True)
    exact = torch.cat([run(fine, part) for part in inputs.split(500)])
    rough = torch.cat([run(coarse, part.bfloat16()).float() for part in inputs.split(500)])
    change = rough - exact
    spread = (change.amax(dim=1) - change.amin(dim=1)) / fast_path.error_scale(rough)
    first = np.random.default_rng(seed).permutation(len(inputs))[:MAX_FIRST_SAMPLE]
    unit = float(spread[torch.from_numpy(first)].max())
    if not unit:
        return None
    leads = fast_path.margin(rough)[_other(rough, exact)]
    return Found(float(spread.max()) / unit, float(leads.max()) / unit if len(leads) else 0.0)


def _other(rough: Tensor, exact: Tensor) -> Tensor:
    return rough.argmax(dim=1) != exact.argmax(dim=1)


if __name__ == "__main__":
    main()
