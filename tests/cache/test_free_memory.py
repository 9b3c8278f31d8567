"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
from pathlib import Path
from workbench.cache.free_memory import return_free_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytearray(50_000) for _ in range(1_000)]
last = bytearray(50_000)  # keeps the end of the heap in use
del blocks
before = resident()
return_free_memory()
print(before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_free_memory_is_returned():
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True
    )
    assert int(process.stdout) > 30_000_000


def test_it_is_harmless_without_glibc(monkeypatch):
    from workbench.cache import free_memory

    monkeypatch.setattr(free_memory.ctypes, "CDLL", lambda name: object())
    free_memory._malloc_trim.cache_clear()
    free_memory.return_free_memory()
    free_memory._malloc_trim.cache_clear()
