"""Work in the background leaves the processor to all other work."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from workbench.deploy import priority


@pytest.mark.skipif(os.name == "nt", reason="Windows has priority classes")
def test_a_process_has_a_low_priority_but_not_the_lowest(monkeypatch):
    monkeypatch.setattr(priority, "NICE", 10)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        priority.lower_priority(process.pid)
        assert psutil.Process(process.pid).nice() == 10
        process.communicate(b"\n")
    assert process.returncode == 0
