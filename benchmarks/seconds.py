"""Measure how long `wb.train(..., seconds=N)` takes, for every built-in model and a user module.

Prints the ratio of elapsed to requested time. With ``--cpu``, one thread trains and its CPU time is
measured instead, also in the pilot run; use it on busy machines.

    python benchmarks/seconds.py [--models NAME ...] [--seconds N ...] [--cpu]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import _table
import torch
from torch import nn

import workbench as wb
from workbench.training import budget

TOLERANCE = 0.2
PRUNED = wb.Recipe(prune=wb.Prune(0.8))
KINDS: dict[str, dict[str, object]] = {
    "default": {},
    "distillation, early stopping": {"teacher": "self", "patience": 20},
    "cubic, averaged": {"sparsening": "cubic", "average": 0.9},
}


def main() -> None:
    """Print the table; the exit status is 1 if a time is off by more than 20 %."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[*wb.models(), "custom/module"])
    parser.add_argument("--seconds", nargs="+", type=float, default=[3.0, 10.0])
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    clock = time.process_time if options.cpu else time.perf_counter
    if options.cpu:
        torch.set_num_threads(1)
        vars(budget)["time"] = SimpleNamespace(perf_counter=clock)
    module = user_model()
    print(f"{_table.machine()}\n`python benchmarks/seconds.py`\n")
    rows, off = [], 0
    for name in options.models:
        for kind, settings in KINDS.items():
            for seconds in options.seconds:
                steps, ratio = trained(name, seconds, settings, clock)
                off += abs(ratio - 1) > TOLERANCE
                rows.append([f"`{name}`", kind, f"{seconds:g}", steps, f"{ratio:.2f}"])
                print(*rows[-1], file=sys.stderr, flush=True)
    columns = ["model", "training", "seconds", "steps", "elapsed ÷ requested"]
    print(_table.table(columns, rows))
    print(f"\nOff by more than {TOLERANCE:.0%}: {off} of {len(rows)}")
    del module
    sys.exit(off > 0)


def trained(
    name: str, seconds: float, settings: dict[str, object], clock: Callable[[], float]
) -> tuple[int, float]:
    """Return the number of steps, and the ratio of total time to `seconds`."""
    model = wb.model(name)
    model.weights()
    seed = time.time_ns() % 2**31  # a seed without a cached result
    start = clock()
    artifact = wb.train(model, PRUNED, seconds=seconds, seed=seed, **settings)
    elapsed = clock() - start
    assert artifact.recipe.train is not None
    return artifact.recipe.train.steps, elapsed / seconds


def user_model() -> wb.Model:
    """Return a small convolutional user model."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(3000, 3, 16, 16, generator=generator)
    targets = torch.randint(0, 5, (3000,), generator=generator)
    parts = {"train": slice(0, 2000), "validation": slice(2000, 2500), "test": slice(2500, None)}
    module = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 64, 5),
    )
    data = {name: (inputs[part], targets[part]) for name, part in parts.items()}
    return wb.from_module(module, **data, name="module")


if __name__ == "__main__":
    main()
