"""Recommendations under random limits, compared with a full grid of recipes.

python benchmarks/study_demands.py [--quick] [MODEL ...]

Limits are random: an accuracy, a size, or both. For each demand: whether a recipe is shown where
the grid has one, whether all recipes shown meet the limits when they are measured again, how their
accuracy on test compares, and how large the best is relative to the smallest of the grid. Seconds
are those of the CPU, on one thread, so that other work on the machine does not matter.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from _grids import FAST, GRID, SMALL_GRID, empty_store, full_grid

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.study import limited_search, runner, speed
from workbench.study.goal import Goal
from workbench.study.measurement import Job, measure_trial
from workbench.study.recommendation import Recommendation
from workbench.study.trial import Trial

optimize_module: Any = import_module("workbench.study.optimize")
QUICK = "--quick" in sys.argv
LOSSES = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05)
SHARES = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2)
ROWS = ("model", "demands", "shown", "meet", "on test", "in interval", "size", "within 5 %", "miss")


@dataclass
class Counts:
    """What the demands on one model gave."""

    possible: int = 0
    shown: int = 0
    recipes: int = 0
    meeting: int = 0
    limited: int = 0
    on_test: int = 0
    inside: int = 0
    ratios: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    impossible: int = 0
    named: int = 0


def demand(model: wb.Model, number: int, generator: random.Random) -> dict[str, Any]:
    """Return random limits: an accuracy, a size, or both in turn."""
    limits: dict[str, Any] = {}
    if number % 3 != 1:
        original = model.accuracy("validation")
        limits["min_accuracy"] = round(original - generator.choice(LOSSES), 4)
    if number % 3 != 0:
        limits["max_bytes"] = round(generator.choice(SHARES) * model.original_bytes)
    return limits


def meets(trial: Trial, limits: dict[str, Any]) -> bool:
    """Return whether an exact trial is within limits."""
    small = trial.bytes <= limits.get("max_bytes", trial.bytes)
    return small and (trial.accuracy or 0.0) >= limits.get("min_accuracy", 0.0)


def add(
    counts: Counts,
    model: wb.Model,
    limits: dict[str, Any],
    result: Recommendation,
    grid: list[Trial],
) -> None:
    """Add what a demand gave to the counts."""
    feasible = [trial for trial in grid if meets(trial, limits)]
    if feasible:
        counts.possible += 1
        counts.shown += result.met
        if "min_accuracy" in limits:
            counts.ratios.append(result.best.bytes / min(trial.bytes for trial in feasible))
        else:
            best = max(trial.value or 0.0 for trial in feasible)
            counts.losses.append(best - (result.best.value or 0.0))
    elif not result.met:
        counts.impossible += 1
        counts.named += bool(result.violations)
    store = ResultCache()
    for choice in result.choices if result.met else ():
        again = measure_trial(model, Job(choice.recipe), store=store)
        same = (again.bytes, again.accuracy) == (choice.bytes, choice.accuracy)
        counts.recipes += 1
        counts.meeting += same and meets(again, limits)
        if "min_accuracy" in limits:
            report = wb.measure(model, choice.recipe, split="test", timed=False, store=store)
            bounds = Goal.of(model, None, limits["min_accuracy"], None).on_test(choice)
            assert bounds is not None
            accuracy = report.score.figures["accuracy"]
            counts.limited += 1
            counts.on_test += accuracy >= limits["min_accuracy"]
            counts.inside += bounds[0] <= accuracy <= bounds[1]


def main() -> None:
    """Print a row for each model."""
    count, seconds = (3, 2.0) if QUICK else (12, 6.0)
    torch.set_num_threads(1)
    clock = SimpleNamespace(monotonic=time.process_time, process_time=time.process_time)
    for module in (limited_search, optimize_module, runner, speed):
        module.__dict__["time"] = clock
    names = [name for name in sys.argv[1:] if "/" in name] or (FAST[:1] if QUICK else FAST)
    for name in names:
        model = wb.model(name)
        grid = full_grid(model, SMALL_GRID if QUICK else GRID)
        generator, counts = random.Random(name), Counts()
        for number in range(count):
            limits = demand(model, number, generator)
            empty_store()
            result = wb.optimize(model, seconds=seconds, **limits)
            add(counts, model, limits, result, grid)
            recipe = result.best.recipe.to_json()
            print(f"# {limits} {result.met} {result.best.bytes} {recipe}", flush=True)
        ratios, within = np.array(counts.ratios), sum(ratio <= 1.05 for ratio in counts.ratios)
        print(
            f"| `{name}` | {counts.shown} of {counts.possible} | {counts.meeting} of "
            f"{counts.recipes} | {counts.on_test} of {counts.limited} | {counts.inside} of "
            f"{counts.limited} | {np.median(ratios):.2f}, {ratios.max():.2f} | {within} of "
            f"{len(ratios)} | {100 * max(counts.losses, default=0.0):+.2f} | {counts.named} of "
            f"{counts.impossible} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
