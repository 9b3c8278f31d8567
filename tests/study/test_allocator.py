"""A worker of Dask keeps freed memory, as other processes do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import numpy as np
from workbench.study.executors.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def fill():
    for _ in range(100):
        np.empty(250_000, np.float32).fill(1)
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how, **variables):
    command = [sys.executable, "-c", SCRIPT, how]
    environment = os.environ | variables
    process = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE)
    return int(process.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Only Dask's workers on Linux need it.")
def test_memory_is_not_taken_from_the_system_again_for_each_tensor():
    set_by_dask = {"MALLOC_TRIM_THRESHOLD_": "65536"}
    assert page_faults("as set", **set_by_dask) > 20 * 244  # each page of most tensors
    assert page_faults("keep", **set_by_dask) < 244
    assert page_faults("keep") < 244
