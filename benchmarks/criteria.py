"""Which scope suits a pruning criterion: figures of every built-in model at four sparsities.

Curvature in each scope is set beside magnitude in its own. A figure counts as worse if it lies
more than 0.3 points below, or 0.01 bits per character above, that of magnitude.

    python benchmarks/criteria.py [--models NAME ...] [--criterion NAME]
"""

from __future__ import annotations

import argparse

import _table

import workbench as wb
from workbench.recipe.prune import CRITERIA, DEFAULT_SCOPES, SCOPES

SPARSITIES = (0.5, 0.7, 0.8, 0.9)
MARGIN = {True: 0.003, False: 0.01}
"""By whether the metric is a share: how much worse still counts as good."""
COMPETING = [choice.value for choice in SCOPES if choice.value != "layer"]


def main() -> None:
    """Print the table, and how often each scope is worse than magnitude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=wb.models())
    parser.add_argument(
        "--criterion", default="curvature", choices=[choice.value for choice in CRITERIA]
    )
    chosen = parser.parse_args()
    print(f"{_table.machine()}\n`python benchmarks/criteria.py`\n")
    rows, worse = [], dict.fromkeys(COMPETING, 0)
    for name in chosen.models:
        model = wb.model(name)
        for sparsity in SPARSITIES:
            plain = value(model, wb.Prune(sparsity))
            cells = []
            for scope in COMPETING:
                found = value(model, wb.Prune(sparsity, chosen.criterion, scope=scope))
                lost = too_low(model, found, plain)
                worse[scope] += lost
                cells.append(f"{written(model, found)}{' ✗' if lost else ''}")
            rows.append([f"`{name}`", f"{sparsity:.0%}", written(model, plain), *cells])
    columns = ["model", "zeros", "magnitude", *(f"{chosen.criterion}, {s}" for s in COMPETING)]
    print(_table.table(columns, rows))
    print(f"\nWorse than magnitude, of {len(rows)}: {worse}")
    print(f"Scope unless one is given: {DEFAULT_SCOPES[chosen.criterion]}")


def value(model: wb.Model, prune: wb.Prune) -> float:
    """Return the exact figure of the model's metric on the validation split."""
    found: float = wb.measure(model, wb.Recipe(prune=prune), timed=False).value
    return found


def too_low(model: wb.Model, found: float, plain: float) -> bool:
    """Return whether `found` is worse than `plain` by more than the margin."""
    metric = model.task.metric
    short = plain - found if metric.share else found - plain
    return short > MARGIN[metric.share]


def written(model: wb.Model, figure: float) -> str:
    """Write a figure of the model's metric, shares to a hundredth of a percent."""
    return f"{figure:.2%}" if model.task.metric.share else model.task.metric.format(figure)


if __name__ == "__main__":
    main()
