"""How long sensitivity takes: ten sparsities of every layer, exactly, against one by one.

Both ways begin with an empty store, and must find the same lengths and accuracies.

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
"""Seconds for ten sparsities of every layer."""


class Row(NamedTuple):
    """One model: how many points, and elapsed and processor seconds of both ways."""

    model: str
    points: int
    ours: tuple[float, float]
    one_by_one: tuple[float, float]


def main() -> None:
    """Print the table; the status is 1 where a target is missed."""
    print(f"{_table.machine()}\n`python benchmarks/sensitivity.py`\n")
    found = [timed(name) for name in wb.models()]
    columns = ["model", "points", "ours", "one by one", "target", "processor, ours", "one by one"]
    print(_table.table(columns, map(cells, found)))
    late = [row.model for row in found if row.ours[0] > TARGETS.get(row.model, float("inf"))]
    if late:
        sys.exit(f"Too slow: {', '.join(late)}")


def timed(name: str) -> Row:
    """Measure every point in both ways."""
    model = wb.model(name)
    wb.measure(model, wb.Recipe(quantize=wb.Quantize(8)), timed=False, store=ResultCache())  # warm
    begin = clocks()
    found = wb.sensitivity(model, store=ResultCache())
    middle = clocks()
    store = ResultCache()
    reports = [wb.measure(model, one.recipe, timed=False, store=store) for one in found.points]
    end = clocks()
    for point, report in zip(found.points, reports, strict=True):
        assert (point.bytes, point.value) == (report.bytes, report.value), point
    return Row(name, len(found.points), spent(begin, middle), spent(middle, end))


def clocks() -> tuple[float, float]:
    """Return the time, and the processor time of all threads, which other work does not touch."""
    return time.perf_counter(), time.process_time()


def spent(begin: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return the seconds between two readings of both clocks."""
    return end[0] - begin[0], end[1] - begin[1]


def cells(row: Row) -> list[str]:
    """Return a row of the table."""
    asked = f"{TARGETS[row.model]:.0f} s" if row.model in TARGETS else ""
    (ours, work), (plain, plain_work) = row.ours, row.one_by_one
    first = [f"`{row.model}`", str(row.points), f"{ours:.1f} s", f"{plain:.1f} s", asked]
    return [*first, f"{work:.1f} s", f"{plain_work:.1f} s"]


if __name__ == "__main__":
    main()
