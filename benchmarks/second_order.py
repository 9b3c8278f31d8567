"""Measure the gain of second-order methods at 3 bits and at 70 % zeros.

For every built-in model and every layer with more than 60 inputs: the output error on calibration
inputs with the second-order method, relative to that of the baseline.

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

MIN_INPUTS = 60
MAX_RATIO = 0.8
MIN_FRACTION = 0.8


class Pair(NamedTuple):
    """A baseline recipe, and the same with error compensation."""

    name: str
    baseline: Recipe
    compensated: Recipe


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
    """Print the table; the exit status is 1 if too few layers gain or one loses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=wb.models())
    names = parser.parse_args().models
    print(f"{_table.machine()}\n`python benchmarks/second_order.py`\n")
    rows, missed = [], []
    for pair in PAIRS:
        for name in names:
            model = wb.model(name)
            errors = ratios(model, pair)
            gained = sum(ratio <= MAX_RATIO for ratio in errors.values())
            baseline, compensated = (wb.measure(model, r, timed=False) for r in pair[1:])
            rows.append(
                [
                    pair.name,
                    f"`{name}`",
                    f"{gained} of {len(errors)}",
                    f"{median(errors.values()):.0%}" if errors else "–",
                    f"{max(errors.values()):.0%}" if errors else "–",
                    written(model, baseline.value),
                    written(model, compensated.value),
                    f"{baseline.bytes:,}",
                    f"{compensated.bytes:,}",
                ]
            )
            if not errors:
                continue
            too_few = gained < MIN_FRACTION * len(errors) or max(errors.values()) > 1
            if too_few and "global" not in pair.name:  # where the layers' sparsities differ
                missed.append(f"{name}, {pair.name}")
    columns = ["methods", "model", "layers 20 % lower", "median", "highest"]
    columns += ["baseline", "compensated", "baseline bytes", "bytes"]
    print(_table.table(columns, rows))
    if missed:
        sys.exit(f"The gain is too small: {'; '.join(missed)}")


def written(model: wb.Model, value: float) -> str:
    """Format a value of the model's metric, fractions to a hundredth of a percent."""
    return f"{value:.2%}" if model.task.metric.is_fraction else model.task.metric.format(value)


def ratios(model: wb.Model, pair: Pair) -> dict[str, float]:
    """Return the relative output error of each layer with many inputs."""
    covariances = calibration_stats(model, pair.compensated).covariances
    files = [wb.compress(model, recipe).weights() for recipe in pair[1:]]
    result = {}
    for name, weight in model.weights().items():
        if name in covariances and weight[0].numel() > MIN_INPUTS:
            baseline, compensated = (error(f[name] - weight, covariances[name]) for f in files)
            if baseline:  # otherwise the layer does not change
                result[name] = compensated / baseline
    return result


def error(change: Tensor, covariance: InputCovariance) -> float:
    """Return the squared change of the outputs for a change of the weights."""
    return float(covariance.output_error(change.flatten(1)).sum())


if __name__ == "__main__":
    main()
