"""How long sensitivity takes: every layer and setting, exactly, against measuring one by one.

Both ways begin with an empty store, and must find the same lengths and accuracies.

    python benchmarks/sensitivity.py
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import _table

import workbench as wb
from workbench.evaluation.store import Store

TARGETS = {"fashion/lenet5": 20.0, "fashion/resnet": 120.0}
"""Seconds for ten sparsities of every layer."""


class Row(NamedTuple):
    """One model and part: how many points, and the seconds of both ways."""

    model: str
    part: str
    points: int
    ours: float
    one_by_one: float


def main() -> None:
    """Print the table; the status is 1 where a target is missed."""
    print(f"{_table.machine()}\n`python benchmarks/sensitivity.py`\n")
    found = [timed(name, part) for part in (wb.Prune(), wb.Quantize()) for name in wb.models()]
    columns = ["model", "tried", "points", "ours", "one by one", "times faster", "target"]
    print(_table.table(columns, map(cells, found)))
    late = [row for row in found if row.part == "Prune" and row.ours > target(row)]
    if late:
        sys.exit(f"Too slow: {', '.join(row.model for row in late)}")


def timed(name: str, part: wb.Prune | wb.Quantize) -> Row:
    """Measure every point in both ways."""
    model = wb.model(name)
    wb.measure(model, wb.Recipe(quantize=wb.Quantize(8)), timed=False, store=Store())  # warm
    begin = time.perf_counter()
    found = wb.sensitivity(model, part, store=Store())
    ours = time.perf_counter() - begin
    store = Store()
    begin = time.perf_counter()
    reports = [wb.measure(model, one.recipe, timed=False, store=store) for one in found.points]
    one_by_one = time.perf_counter() - begin
    for point, report in zip(found.points, reports, strict=True):
        assert (point.bytes, point.accuracy) == (report.bytes, report.accuracy), point
    return Row(name, type(part).__name__, len(found.points), ours, one_by_one)


def target(row: Row) -> float:
    """Return the seconds that a row may take."""
    return TARGETS.get(row.model, float("inf"))


def cells(row: Row) -> list[str]:
    """Return a row of the table."""
    asked = f"{target(row):.0f} s" if row.part == "Prune" and row.model in TARGETS else ""
    what = "sparsities" if row.part == "Prune" else "bits"
    faster = f"{row.one_by_one / row.ours:.1f}"
    seconds = [f"{row.ours:.1f} s", f"{row.one_by_one:.1f} s"]
    return [f"`{row.model}`", what, str(row.points), *seconds, faster, asked]


if __name__ == "__main__":
    main()
