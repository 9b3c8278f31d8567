"""The pool: no process outlives its run, its error or its caller."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.parallel.pool import Pool, pool

pytestmark = pytest.mark.slow
LONG = {"steps": 300, "batch": 16, "exact": False}


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        time.sleep(0.02)


def alive(ids):
    return [i for i in ids if psutil.pid_exists(i) and not _ended(i)]


def _ended(process_id):
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_processes_are_used_again():
    model = wb.model("fashion/mlp-32")
    wb.train_in_parallel(model, steps=1, exact=False)
    before = pool().process_ids
    wb.train_in_parallel(model, steps=1, exact=False)
    assert pool().process_ids == before


def test_a_killed_rank_is_named_and_no_process_remains():
    ids = []

    def kill(record):
        if record.rank == 0 and not ids:
            ids.extend(pool().process_ids)
            psutil.Process(ids[1]).kill()

    with raises("parallel.rank_died", "rank 1 of 2"):
        wb.train_in_parallel(wb.model("fashion/mlp-32"), **LONG, on_record=kill)
    assert alive(ids) == []


def test_cancelling_leaves_no_process():
    token, ids = CancelToken(), []

    def stop(record):
        if record.rank == 0:
            ids.extend(pool().process_ids)
            token.cancel()

    with raises("cancelled"):
        wb.train_in_parallel(wb.model("fashion/mlp-32"), **LONG, on_record=stop, cancel=token)
    assert ids
    assert alive(ids) == []


def test_a_silent_rank_is_named():
    own = Pool()
    request = {"command": "train", "folder": "", "rank": 0}
    with raises("parallel.rank_failed", "Rank 0"):
        own.run([request], limit=60)
    own.start(1)
    ids = own.process_ids
    psutil.Process(ids[0]).suspend()  # it answers nothing and does not end
    with raises("parallel.timeout", "Rank 0 of 1"):
        own.run([request], limit=0.5)
    assert alive(ids) == []


def test_ranks_end_with_a_caller_that_is_killed():
    code = (
        "import workbench.parallel.pool as p, time\n"
        "pool = p.Pool(); pool.start(2); print(*pool.process_ids, flush=True); time.sleep(600)"
    )
    caller = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    ids = [int(text) for text in caller.stdout.readline().split()]
    assert len(alive(ids)) == 2
    caller.kill()
    caller.wait()
    wait_until(lambda: not alive(ids))
