"""What making good for errors gains: layers' outputs and the figure, at 3 bits and at 70 % zeros.

For every built-in model, layers with more than 60 inputs: the change of their outputs on
calibration inputs with the second-order method, as a share of that with the plain one.

    python benchmarks/second_order.py [--models NAME ...]
"""

from __future__ import annotations

import argparse
import sys
from statistics import median
from typing import NamedTuple

import _table
from torch import Tensor

import workbench as wb
from workbench.calibration.statistics import calibration_stats
from workbench.compression.covariance import InputCovariance
from workbench.recipe import Recipe

WIDE = 60
LESS = 0.8
ENOUGH = 0.8


class Pair(NamedTuple):
    """A plain recipe, and the same with errors made good."""

    name: str
    plain: Recipe
    better: Recipe


PAIRS = (
    Pair(
        "3 bits: nearest, compensated",
        Recipe(quantize=wb.Quantize(3)),
        Recipe(quantize=wb.Quantize(3, rounding="compensated")),
    ),
    Pair(
        "2 bits, least error: nearest, compensated",
        Recipe(quantize=wb.Quantize(2, range="mse")),
        Recipe(quantize=wb.Quantize(2, range="mse", rounding="compensated")),
    ),
    Pair(
        "70 % zeros, uniform: magnitude, curvature",
        Recipe(prune=wb.Prune(0.7, scope="uniform")),
        Recipe(prune=wb.Prune(0.7, "curvature", scope="uniform")),
    ),
    Pair(
        "70 % zeros, global: magnitude, curvature",
        Recipe(prune=wb.Prune(0.7)),
        Recipe(prune=wb.Prune(0.7, "curvature")),
    ),
)


def main() -> None:
    """Print the table; the status is 1 where too few layers gain or one loses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=wb.models())
    names = parser.parse_args().models
    print(f"{_table.machine()}\n`python benchmarks/second_order.py`\n")
    rows, missed = [], []
    for pair in PAIRS:
        for name in names:
            model = wb.model(name)
            shares = ratios(model, pair)
            gained = sum(share <= LESS for share in shares.values())
            plain, better = (wb.measure(model, one, timed=False) for one in pair[1:])
            rows.append(
                [
                    pair.name,
                    f"`{name}`",
                    f"{gained} of {len(shares)}",
                    f"{median(shares.values()):.0%}" if shares else "–",
                    f"{max(shares.values()):.0%}" if shares else "–",
                    written(model, plain.value),
                    written(model, better.value),
                    f"{plain.bytes:,}",
                    f"{better.bytes:,}",
                ]
            )
            if not shares:
                continue
            few = gained < ENOUGH * len(shares) or max(shares.values()) > 1
            if few and "global" not in pair.name:  # there layers lose other numbers of weights
                missed.append(f"{name}, {pair.name}")
    columns = ["choice", "model", "layers 20 % lower", "median", "highest"]
    columns += ["plain", "made good", "plain bytes", "bytes"]
    print(_table.table(columns, rows))
    if missed:
        sys.exit(f"Too little is gained: {'; '.join(missed)}")


def written(model: wb.Model, value: float) -> str:
    """Write a figure of the model's metric, shares to a hundredth of a percent."""
    return f"{value:.2%}" if model.task.metric.share else model.task.metric.format(value)


def ratios(model: wb.Model, pair: Pair) -> dict[str, float]:
    """Return the output error made good over the plain one, of layers with many inputs."""
    moments = calibration_stats(model, pair.better).covariances
    files = [wb.compress(model, one).weights() for one in (pair.plain, pair.better)]
    found = {}
    for name, weight in model.weights().items():
        if name in moments and weight[0].numel() > WIDE:
            plain, better = (error(one[name] - weight, moments[name]) for one in files)
            if plain:  # else nothing changes either way
                found[name] = better / plain
    return found


def error(change: Tensor, moment: InputCovariance) -> float:
    """Return the squared change of the outputs when weights change."""
    return float(moment.output_error(change.flatten(1)).sum())


if __name__ == "__main__":
    main()
