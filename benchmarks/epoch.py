"""The time of one training epoch of `lenet5`: Workbench against a simple loop, interleaved.

The simple loop is that of tutorials: a `DataLoader` over a `TensorDataset`, batch size 128, AdamW,
the unmodified module. Workbench trains in float32 and in mixed precision. All train on the 20,000
training images once per epoch.

    python benchmarks/epoch.py [--epochs 3]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from statistics import median

import _table
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import workbench as wb
from workbench.evaluation.reference import predict
from workbench.training.run import Run
from workbench.training.setup import training_setup

MODEL = "fashion/lenet5"
BATCH = 128
RATE = 1e-3
TARGET = 2.0


def main() -> None:
    """Train with all methods from scratch and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    epochs = parser.parse_args().epochs
    threads = os.cpu_count() or 1
    torch.set_num_threads(threads)
    print(f"{_table.machine()}\n`python benchmarks/epoch.py --epochs {epochs}`\n")
    model = wb.model(MODEL)
    methods: dict[str, SimpleLoop | Workbench] = {
        "simple loop": SimpleLoop(model),
        "Workbench, float32": Workbench(model, epochs, threads, "float32"),
        "Workbench, mixed precision": Workbench(model, epochs, threads, "mixed"),
    }
    times: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(epochs):
        for name, method in methods.items():
            start = time.perf_counter()
            method.epoch()
            times[name].append(time.perf_counter() - start)
    medians = {name: median(seconds) for name, seconds in times.items()}
    faster = {name: medians["simple loop"] / seconds for name, seconds in medians.items()}
    rows = [
        (name, f"{medians[name]:.2f}", f"{faster[name]:.1f}", accuracy(model, method.weights()))
        for name, method in methods.items()
    ]
    columns = ("method", "epoch (s)", "times faster", f"validation after {epochs} epochs")
    print(_table.table(columns, rows))
    best = max(faster.values())
    print(f"\nThe fastest is {best:.1f} times faster; the target is {TARGET:g}.")
    sys.exit(0 if best >= TARGET else 1)


class SimpleLoop:
    """A module, a loader and an optimizer."""

    def __init__(self, model: wb.Model) -> None:
        torch.manual_seed(0)
        self.module = model.architecture.build().train()
        split = model.task.split("train")
        labels = torch.from_numpy(split.labels.astype(np.int64))
        data = TensorDataset(model.task.inputs(split.examples), labels)
        self.loader = DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)
        self.optimizer = torch.optim.AdamW(self.module.parameters(), lr=RATE, weight_decay=0)

    def epoch(self) -> None:
        """Train for one epoch."""
        for inputs, labels in self.loader:
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.module(inputs), labels).backward()
            self.optimizer.step()

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the trained weights."""
        return {name: tensor.detach() for name, tensor in self.module.state_dict().items()}


class Workbench:
    """A run of `workbench.training`."""

    def __init__(self, model: wb.Model, epochs: int, threads: int, precision: str) -> None:
        self.steps = len(model.task.split("train")) // BATCH
        settings = wb.Train(
            steps=self.steps * epochs,
            start="scratch",
            schedule="constant",
            learning_rate=RATE,
            batch=BATCH,
            threads=threads,
            precision=precision,
        )
        recipe = wb.Recipe(train=settings)
        self.run = Run(training_setup(model, recipe), recipe)
        self.training_steps = self.run.go()

    def epoch(self) -> None:
        """Train for one epoch."""
        for _ in range(self.steps):
            next(self.training_steps)

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the trained weights."""
        return self.run.trained().weights


def accuracy(model: wb.Model, weights: dict[str, torch.Tensor]) -> str:
    """Return the validation accuracy of the reference evaluation."""
    split = model.task.split("validation")
    return f"{(predict(model, weights, split.examples) == split.labels).mean():.2%}"


if __name__ == "__main__":
    main()
