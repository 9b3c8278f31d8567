"""Tables that ask for much memory, read in a process of their own that reports its peak."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = """
import sys
from workbench.custom.tables.inspect import inspect_table
from workbench.errors import WorkbenchError

try:
    rows = inspect_table(sys.argv[1]).rows_read
except WorkbenchError as error:
    rows = error.code
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(rows, int(peak) / 1000)
"""


def one_long_cell():
    rng = random.Random(0)
    rows = [f"{rng.choice('ab')},{rng.randint(18, 80)},{rng.choice('yn')}" for _ in range(2999)]
    rows.insert(1000, "z" * 100_000 + ",44,y")
    return "\n".join(["note,age,buys", *rows]).encode()


def short_cells():
    rng = random.Random(0)
    row = ",".join(f"{rng.randrange(16**3):03x}" for _ in range(1000))
    rows = [row[shift * 4 :] + "," + row[: shift * 4 - 1] for shift in range(1, 201)]
    names = ",".join(f"name {n}" for n in range(1000))
    return "\n".join([names, *rows * 24, f"{row[:-3]}yes"]).encode()


LIMITS = {  # what is read or the error, megabytes
    "one long cell": (one_long_cell, "3000", 200),
    "five million cells": (short_cells, "upload.too_many_classes", 1000),
    "a bomb": (lambda: gzip.compress(bytes(400_000_000), 1), "upload.too_large", 200),
    "one line": (lambda: b"1," * 10_000_000, "upload.too_many_columns", 400),
    "quotation marks": (lambda: b'"' * 20_000_000, "upload.invalid_row", 400),
    "blank lines": (lambda: b"\n" * 19_900_000, "upload.empty", 400),
    "spaces": (lambda: b" " * 19_900_000, "upload.empty", 400),
    "comments": (lambda: b"%\n" * 9_900_000, "upload", 400),
    "too many columns": (lambda: b"a," * 60_000 + b"a\n" + b"1," * 60_000, "too_many", 400),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("name", LIMITS)
def test_the_peak_of_memory_is_limited(name, tmp_path):
    make, rows, megabytes = LIMITS[name]
    path = tmp_path / "table.csv"
    path.write_bytes(make())
    command = [sys.executable, "-c", READ, str(path)]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    result, peak = output.split()
    assert rows in result
    assert float(peak) < megabytes
