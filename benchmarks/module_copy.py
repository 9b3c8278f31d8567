"""Compare the time of a private copy of a module with that of `copy.deepcopy`.

Each change of a custom model's recipe copies its module a few times. Both copy the same tensors
that have shapes but no values, in turn.

    python benchmarks/module_copy.py
"""

from __future__ import annotations

import copy
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from _table import machine, table

from workbench.domain.module_copy import deep_copy

REPEATS = 25


def convolutions() -> nn.Module:
    """Return 20 blocks of convolution, normalization and activation."""
    blocks = [nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU()) for _ in range(20)]
    return nn.Sequential(*blocks)


def encoder() -> nn.Module:
    """Return a transformer encoder of 12 layers."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), 12)


def main() -> None:
    """Print one table."""
    rows = []
    for name, module in {
        "one layer": nn.Linear(8, 8),
        "20 convolutional blocks": convolutions(),
        "12 transformer layers": encoder(),
        "4 recurrent layers": nn.LSTM(8, 8, num_layers=4),
    }.items():
        here, there = times(module)
        count = sum(1 for _ in module.modules())
        rows.append((name, count, f"{here:.2f}", f"{there:.2f}", f"{there / here:.1f}"))
    print(machine(), end="\n\n")
    print(table(("module", "modules", "here, ms", "copy.deepcopy, ms", "ratio"), rows))


def times(module: nn.Module) -> tuple[float, float]:
    """Return the median milliseconds of our copy and of `copy.deepcopy`, made in turn."""
    shapes: dict[int, Any] = {
        id(p): nn.Parameter(torch.empty_like(p, device="meta")) for p in module.parameters()
    }
    seconds: dict[Any, list[float]] = {deep_copy: [], copy.deepcopy: []}
    for _ in range(REPEATS):
        for function, found in seconds.items():
            start = time.perf_counter()
            function(module, dict(shapes))
            found.append(time.perf_counter() - start)
    here, there = (1000 * median(found) for found in seconds.values())
    return here, there


if __name__ == "__main__":
    main()
