"""A sweep of eight temperatures beside one student: stacked, side by side, one after the other.

`python benchmarks/sweep.py [--steps N] [--rounds N] [--precision mixed]` prints, for built-in
students, the time of one student on all cores and what eight cost in each way, as a multiple of it.
The ways take turns, and the least of the rounds counts, so that a busy moment of the machine spoils
no ratio.
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
from workbench.experiments import sweep
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
    for _moment in Run(training_setup(model, recipe), recipe).go():
        pass


def one_by_one(model: Model, settings: Train) -> None:
    """Train eight, one after the other, each on all cores."""
    for temperature in TEMPERATURES:
        alone(model, replace(settings, temperature=temperature))


def together(model: Model, settings: Train, *, stacked: bool) -> None:
    """Train eight as a sweep does, stacked or side by side on one core each."""
    students = [Student(settings.seed, settings.mix, t) for t in TEMPERATURES]
    with patch.object(sweep, "stackable", lambda setup, settings: stacked):
        for _event in Sweep(partial(training_setup, model), settings, students).go(
            lambda weights: 0.0
        ):
            pass


WAYS: dict[str, Callable[[Model, Train], None]] = {
    "one student": alone,
    "8 stacked": partial(together, stacked=True),
    "8 side by side": partial(together, stacked=False),
    "8 one by one": one_by_one,
}


def measure(model: Model, settings: Train, rounds: int) -> dict[str, float]:
    """Return the least seconds of each way."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, train in WAYS.items():
            begin = time.perf_counter()
            train(model, settings)
            seconds[name].append(time.perf_counter() - begin)
    return {name: min(found) for name, found in seconds.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--steps", type=int, default=100, help="steps of each student")
    parser.add_argument("--rounds", type=int, default=5, help="times that the ways take turns")
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
        training_setup(
            model, Recipe(train=settings)
        )  # the teacher's outputs, computed once for all
        found = measure(model, settings, options.rounds)
        one = found.pop("one student")
        chosen = "stacked" if _stacks(model, settings) else "side by side"
        size = f"{model.card['parameters']:,}"
        ratios = [f"{seconds / one:.1f} ×" for seconds in found.values()]
        rows.append([name, size, f"{one / options.steps * 1e3:.1f} ms", *ratios, chosen])
    columns = ["student", "parameters", "a step alone", *list(WAYS)[1:], "a sweep takes"]
    print(machine(), end="\n\n")
    print(table(columns, rows))


def _stacks(model: Model, settings: Train) -> bool:
    recipe = Recipe(train=settings)
    return sweep.stackable(training_setup(model, recipe), settings)


if __name__ == "__main__":
    main()
