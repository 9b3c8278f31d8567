"""How long `wb.train(..., seconds=N)` takes: every built-in model, and a user's module.

The ratio of the time that passes to the time that was asked for. With ``--cpu`` one thread trains
and its CPU time counts in place of elapsed time, in the pilot too: a figure for busy machines.

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

ALLOWED = 0.2
PRUNED = wb.Recipe(prune=wb.Prune(0.8))
KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "taught, early stopping": {"teacher": "self", "patience": 20},
    "cubic, averaged": {"sparsening": "cubic", "average": 0.9},
}


def main() -> None:
    """Print the table; the status is 1 where a time is off by more than a fifth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[*wb.models(), "custom/module"])
    parser.add_argument("--seconds", nargs="+", type=float, default=[3.0, 10.0])
    parser.add_argument("--cpu", action="store_true")
    chosen = parser.parse_args()
    clock = time.process_time if chosen.cpu else time.perf_counter
    if chosen.cpu:
        torch.set_num_threads(1)
        vars(budget)["time"] = SimpleNamespace(perf_counter=clock)
    module = own()
    print(f"{_table.machine()}\n`python benchmarks/seconds.py`\n")
    rows, off = [], 0
    for name in chosen.models:
        for kind, settings in KINDS.items():
            for seconds in chosen.seconds:
                steps, ratio = trained(name, seconds, settings, clock)
                off += abs(ratio - 1) > ALLOWED
                rows.append([f"`{name}`", kind, f"{seconds:g}", steps, f"{ratio:.2f}"])
                print(*rows[-1], file=sys.stderr, flush=True)
    columns = ["model", "training", "seconds", "steps", "taken ÷ asked"]
    print(_table.table(columns, rows))
    print(f"\nOff by more than {ALLOWED:.0%}: {off} of {len(rows)}")
    del module
    sys.exit(off > 0)


def trained(
    name: str, seconds: float, settings: dict[str, object], clock: Callable[[], float]
) -> tuple[int, float]:
    """Return the steps taken, and the time that they and all else took, over `seconds`."""
    model = wb.model(name)
    model.weights()
    seed = time.time_ns() % 2**31  # a training that nobody has kept
    begin = clock()
    artifact = wb.train(model, PRUNED, seconds=seconds, seed=seed, **settings)
    passed = clock() - begin
    assert artifact.recipe.train is not None
    return artifact.recipe.train.steps, passed / seconds


def own() -> wb.Model:
    """Bring a small convolutional network of a user's own."""
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
