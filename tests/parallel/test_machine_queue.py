"""The queue of a machine: one run at a time, and a waiting one can be cancelled."""

from __future__ import annotations

import subprocess
import sys

from tests.raises import raises
from workbench.cancel import NEVER, CancelToken
from workbench.parallel.machine_queue import machine_queue

HOLD = """
from workbench.cancel import NEVER
from workbench.parallel.machine_queue import machine_queue
with machine_queue(NEVER):
    print("held", flush=True)
    input()
"""


def test_a_run_waits_for_another_process_and_can_be_cancelled(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # not the queue of other tests
    monkeypatch.setattr("tempfile.tempdir", None)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "held\n"
    token, waits = CancelToken(), []

    def on_wait():
        waits.append(True)
        token.cancel()

    with raises("cancelled"), machine_queue(token, on_wait):
        raise AssertionError("the queue was entered")
    assert waits == [True]
    other.kill()  # the system frees its place
    other.wait()
    with machine_queue(NEVER):
        pass
