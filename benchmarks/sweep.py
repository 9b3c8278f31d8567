"""Compare ways to train a sweep of eight temperatures: stacked, in parallel, one after the other.

`python benchmarks/sweep.py [--steps N] [--rounds N] [--precision mixed]` prints, for built-in
students, the time of one student on all cores, and that of eight students as a multiple of it. The
methods are interleaved and the minimum over the rounds is used, so that background load does not
affect the ratios.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from unittest.mock import patch

from _table import machine, table

import workbench as wb
from workbench.domain import Model
from workbench.experiments.stacked_students import stackable
from workbench.experiments.sweep import Student, Sweep
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.setup import training_setup

TEMPERATURES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0)
STUDENTS = ("fashion/mlp-32", "fashion/cnn-10k", "fashion/lenet5-narrow", "fashion/lenet-300-100")
TEACHER = "fashion/lenet5"


def alone(model: Model, settings: Train) -> None:
    """Train one student on all cores."""
    recipe = Recipe(train=settings)
    for _step in Run(training_setup(model, recipe), recipe).go():
        pass


def one_by_one(model: Model, settings: Train) -> None:
    """Train eight students one after the other, each on all cores."""
    for temperature in TEMPERATURES:
        alone(model, replace(settings, temperature=temperature))


def together(model: Model, settings: Train, *, stacked: bool) -> None:
    """Train eight students as a sweep, stacked or in parallel on one core each."""
    students = [Student(settings.seed, settings.mix, t) for t in TEMPERATURES]
    with patch("workbench.experiments.sweep.stackable", lambda setup, settings: stacked):
        for _event in Sweep(partial(training_setup, model), settings, students).go(
            lambda weights: 0.0
        ):
            pass


METHODS: dict[str, Callable[[Model, Train], None]] = {
    "one student": alone,
    "8 stacked": partial(together, stacked=True),
    "8 in parallel": partial(together, stacked=False),
    "8 one by one": one_by_one,
}


def measure(model: Model, settings: Train, rounds: int) -> dict[str, float]:
    """Return the minimum seconds of each method."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, train in METHODS.items():
            start = time.perf_counter()
            train(model, settings)
            seconds[name].append(time.perf_counter() - start)
    return {name: min(times) for name, times in seconds.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--steps", type=int, default=100, help="steps of each student")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each method")
    parser.add_argument("--precision", choices=("float32", "mixed"), default="float32")
    parser.add_argument("--students", nargs="+", default=STUDENTS, help="built-in models")
    options = parser.parse_args(arguments)
    settings = Train(
        steps=options.steps,
        start="scratch",
        teacher=TEACHER,
        threads=os.cpu_count() or 1,
        precision=options.precision,
    )
    rows = []
    for name in options.students:
        model = wb.model(name)
        training_setup(model, Recipe(train=settings))  # computes the teacher's outputs once
        times = measure(model, settings, options.rounds)
        single = times.pop("one student")
        default = "stacked" if _is_stacked(model, settings) else "in parallel"
        size = f"{model.card['parameters']:,}"
        ratios = [f"{seconds / single:.1f} ×" for seconds in times.values()]
        rows.append([name, size, f"{single / options.steps * 1e3:.1f} ms", *ratios, default])
    columns = ["student", "parameters", "time of a step", *list(METHODS)[1:], "used by sweep"]
    print(machine(), end="\n\n")
    print(table(columns, rows))


def _is_stacked(model: Model, settings: Train) -> bool:
    recipe = Recipe(train=settings)
    return stackable(training_setup(model, recipe), settings)


if __name__ == "__main__":
    main()
