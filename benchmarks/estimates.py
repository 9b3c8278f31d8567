"""Measure how often the published intervals cover the exact accuracy.

Measures random recipes from the full schema and compares every interim interval with the exact
value of the same recipe. Target: a coverage of at least 93 % at each interim estimate, and a median
half-width of at most 5 points at the first.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

import _table

import workbench as wb
from tests.recipes import random_recipe
from workbench.cache.results import ResultCache
from workbench.evaluation.measure import iter_reports

SHARES = {"fashion/lenet-300-100": 0.45, "fashion/lenet5": 0.35, "fashion/resnet": 0.2}
COVERED, HALF_WIDTH = 0.93, 0.05


def main() -> None:
    """Measure and print the coverage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    command = f"python benchmarks/estimates.py --recipes {options.recipes} --seed {options.seed}"
    print(f"{_table.machine()}\n`{command}`\n")
    start = time.perf_counter()
    covered: dict[tuple[str, int], list[bool]] = defaultdict(list)
    half_widths: dict[tuple[str, int], list[float]] = defaultdict(list)
    for name, share in SHARES.items():
        model, rng = wb.model(name), Random(f"{options.seed} {name}")
        for _ in range(round(share * options.recipes)):
            recipe = random_recipe(rng, model.layers)
            *published, exact = [
                r for r in iter_reports(model, recipe, store=ResultCache()) if r.score
            ]
            for report in published:
                for key in ((name, report.examples), ("all", report.examples)):
                    low, high = report.accuracy_low, report.accuracy_high
                    covered[key].append(low <= exact.accuracy <= high)
                    half_widths[key].append((high - low) / 2)
    rows = [
        (
            name,
            f"{examples:,}",
            f"{len(covered[name, examples]):,}",
            f"{mean(covered[name, examples]):.1%}",
            f"{100 * median(half_widths[name, examples]):.2f}",
            f"{100 * max(half_widths[name, examples]):.2f}",
        )
        for name, examples in sorted(covered)
    ]
    columns = (
        "model",
        "examples",
        "recipes",
        "covered",
        "median half-width (points)",
        "largest",
    )
    print(_table.table(columns, rows))
    print(f"\n{time.perf_counter() - start:.0f} s.")
    sizes = [examples for name, examples in covered if name == "all"]
    valid = all(mean(covered["all", size]) >= COVERED for size in sizes)
    sys.exit(0 if valid and median(half_widths["all", min(sizes)]) <= HALF_WIDTH else 1)


if __name__ == "__main__":
    main()
