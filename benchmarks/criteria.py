"""Compare the scopes of a pruning criterion on every built-in model at four sparsities.

Each scope is compared with magnitude pruning in its default scope. A result counts as worse if it
is more than 0.3 points below, or 0.01 bits per character above, that of magnitude.

    python benchmarks/criteria.py [--models NAME ...] [--criterion NAME]
"""

from __future__ import annotations

import argparse

import _table

import workbench as wb
from workbench.recipe.prune import CRITERIA, DEFAULT_SCOPES, SCOPES

SPARSITIES = (0.5, 0.7, 0.8, 0.9)
MARGIN = {True: 0.003, False: 0.01}
"""Tolerated loss, by whether the metric is a fraction."""
COMPETING = [choice.value for choice in SCOPES if choice.value != "named"]


def main() -> None:
    """Print the table and how often each scope is worse than magnitude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=wb.models())
    parser.add_argument(
        "--criterion", default="curvature", choices=[choice.value for choice in CRITERIA]
    )
    options = parser.parse_args()
    print(f"{_table.machine()}\n`python benchmarks/criteria.py`\n")
    rows, worse = [], dict.fromkeys(COMPETING, 0)
    for name in options.models:
        model = wb.model(name)
        for sparsity in SPARSITIES:
            baseline = value(model, wb.Prune(sparsity))
            cells = []
            for scope in COMPETING:
                result = value(model, wb.Prune(sparsity, options.criterion, scope=scope))
                is_worse = too_low(model, result, baseline)
                worse[scope] += is_worse
                cells.append(f"{written(model, result)}{' ✗' if is_worse else ''}")
            rows.append([f"`{name}`", f"{sparsity:.0%}", written(model, baseline), *cells])
    columns = ["model", "zeros", "magnitude", *(f"{options.criterion}, {s}" for s in COMPETING)]
    print(_table.table(columns, rows))
    print(f"\nWorse than magnitude, of {len(rows)}: {worse}")
    print(f"Default scope: {DEFAULT_SCOPES[options.criterion]}")


def value(model: wb.Model, prune: wb.Prune) -> float:
    """Return the exact value of the model's metric on the validation split."""
    result: float = wb.measure(model, wb.Recipe(prune=prune), timed=False).value
    return result


def too_low(model: wb.Model, result: float, baseline: float) -> bool:
    """Return whether `result` is worse than `baseline` by more than the margin."""
    metric = model.task.metric
    loss = baseline - result if metric.is_fraction else result - baseline
    return loss > MARGIN[metric.is_fraction]


def written(model: wb.Model, value: float) -> str:
    """Format a value of the model's metric, fractions to a hundredth of a percent."""
    return f"{value:.2%}" if model.task.metric.is_fraction else model.task.metric.format(value)


if __name__ == "__main__":
    main()
