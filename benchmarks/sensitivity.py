"""Measure the time of a sensitivity scan of ten sparsities per layer, against one-by-one measuring.

Both methods start with an empty result cache and must return the same sizes and accuracies.

    python benchmarks/sensitivity.py
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import _table

import workbench as wb
from workbench.cache.results import ResultCache

TARGETS = {"fashion/lenet5": 20.0, "fashion/resnet": 120.0}
"""Target seconds for ten sparsities per layer."""


class Row(NamedTuple):
    """One model: number of points, and (elapsed, CPU) seconds of both methods."""

    model: str
    points: int
    scan: tuple[float, float]
    one_by_one: tuple[float, float]


def main() -> None:
    """Print the table; the exit status is 1 if a target is missed."""
    print(f"{_table.machine()}\n`python benchmarks/sensitivity.py`\n")
    results = [timed(name) for name in wb.models()]
    columns = ["model", "points", "scan", "one by one", "target", "scan, CPU", "one by one, CPU"]
    print(_table.table(columns, map(cells, results)))
    late = [row.model for row in results if row.scan[0] > TARGETS.get(row.model, float("inf"))]
    if late:
        sys.exit(f"Too slow: {', '.join(late)}")


def timed(name: str) -> Row:
    """Measure every point with both methods."""
    model = wb.model(name)
    wb.measure(
        model, wb.Recipe(quantize=wb.Quantize(8)), timed=False, store=ResultCache()
    )  # warm-up
    start = clocks()
    result = wb.sensitivity(model, store=ResultCache())
    middle = clocks()
    store = ResultCache()
    reports = [wb.measure(model, p.recipe, timed=False, store=store) for p in result.points]
    end = clocks()
    for point, report in zip(result.points, reports, strict=True):
        assert (point.bytes, point.value) == (report.bytes, report.value), point
    return Row(name, len(result.points), elapsed(start, middle), elapsed(middle, end))


def clocks() -> tuple[float, float]:
    """Return the time, and the CPU time of all threads, which other processes do not affect."""
    return time.perf_counter(), time.process_time()


def elapsed(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return the seconds between two readings of both clocks."""
    return end[0] - start[0], end[1] - start[1]


def cells(row: Row) -> list[str]:
    """Return a row of the table."""
    target = f"{TARGETS[row.model]:.0f} s" if row.model in TARGETS else ""
    (scan, scan_cpu), (single, single_cpu) = row.scan, row.one_by_one
    first = [f"`{row.model}`", str(row.points), f"{scan:.1f} s", f"{single:.1f} s", target]
    return [*first, f"{scan_cpu:.1f} s", f"{single_cpu:.1f} s"]


if __name__ == "__main__":
    main()
