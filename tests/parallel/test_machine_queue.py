"""The queue of a machine: one run at a time, in the order of their calls."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.raises import raises
from workbench.cancel import NEVER, CancelToken
from workbench.parallel.machine_queue import machine_queue

RUN = """
import sys
from workbench.cancel import NEVER
from workbench.parallel.machine_queue import machine_queue
for _time in range(int(sys.argv[1])):
    with machine_queue(NEVER, lambda: print("waits", flush=True)):
        print("runs", flush=True)
        input()
"""


@pytest.fixture(autouse=True)
def _a_queue_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # not the queue of other tests
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def start():
    """Return a function that starts a process that runs a number of times."""
    with ExitStack() as stack:

        def call(times=1):
            process = subprocess.Popen(
                [sys.executable, "-c", RUN, str(times)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield call


def says(process, word):
    return process.stdout.readline() == f"{word}\n"


def end_run(process):
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_run_waits_for_another_process_and_can_be_cancelled(start):
    other = start()
    assert says(other, "runs")
    token, waits = CancelToken(), []

    def on_wait():
        waits.append(True)
        token.cancel()

    with raises("cancelled"), machine_queue(token, on_wait):
        raise AssertionError("the queue was entered")
    assert waits == [True]
    other.kill()  # the system frees its place
    other.wait()
    with machine_queue(NEVER, on_wait):
        pass
    assert waits == [True]


@pytest.mark.slow
def test_a_process_with_many_runs_lets_others_run_in_between(start):
    greedy = start(3)
    assert says(greedy, "runs")
    other = start()
    assert says(other, "waits")
    end_run(greedy)
    assert says(other, "runs")  # although the first asked again at once
    assert says(greedy, "waits")
    end_run(other)
    assert says(greedy, "runs")


@pytest.mark.slow
def test_processes_run_in_the_order_of_their_calls_and_dead_ones_are_passed_over(start, tmp_path):
    first = start()
    assert says(first, "runs")
    waiting = []
    for _process in range(4):
        waiting.append(start())
        assert says(waiting[-1], "waits")
    waiting.pop(1).kill()
    for process in (first, *waiting):
        if process is not first:
            assert says(process, "runs")
        end_run(process)
        process.wait()
    assert not [*tmp_path.rglob("*.ticket")]
