"""The pool: no process outlives its run, its error or its caller."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.fork_server import AVAILABLE, ForkServer
from workbench.parallel.link import Link
from workbench.parallel.pool import Pool, pool, rank_server
from workbench.parallel.rank.clock import Clock
from workbench.parallel.rank.group import join
from workbench.parallel.waits import stalled

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


FORMS = {
    "data": {},
    "zero1": {},
    "zero2": {},
    "zero3": {},
    "tensor": {},
    "gpipe": {"strategy": "pipeline", "schedule": "gpipe"},
    "1f1b": {"strategy": "pipeline", "schedule": "1f1b"},
    "interleaved": {"strategy": "pipeline", "schedule": "interleaved"},
}
ENDS = {
    "suspend": ("parallel.timeout", "has not answered"),
    "kill": ("parallel.rank_died", "ended with status"),
}


# Each form with one end and rank in turn; the one in which ranks wait most with all of them.
CASES = [(form, [*ENDS][i % 2], i // 2 % 2) for i, form in enumerate(FORMS) if form != "1f1b"]
CASES += [("1f1b", end, rank) for end in ENDS for rank in (0, 1)]


@pytest.fixture(scope="module")
def server():
    """Return one process that makes the ranks of many cases; loading PyTorch takes seconds."""
    kept = rank_server() if AVAILABLE else None
    yield kept
    if kept is not None:
        kept.close()


@pytest.fixture
def _one_server(server, monkeypatch):
    pool().close()
    monkeypatch.setattr(ForkServer, "close", lambda _self: None)
    monkeypatch.setattr("workbench.parallel.pool.rank_server", lambda: server)
    monkeypatch.setattr("workbench.parallel.job.RECORDS", 2)  # each evaluates a sample
    yield
    pool().close()


@pytest.mark.usefixtures("_one_server")
@pytest.mark.parametrize(("form", "end", "rank"), CASES)
def test_the_rank_that_is_the_cause_is_named(form, end, rank):
    ids = []

    def stop(record):
        if record.rank >= 0 and record.step > 0 and not ids:
            ids.extend(pool().process_ids)
            getattr(psutil.Process(ids[rank]), end)()

    more = {"limit": 3.0} if end == "suspend" else {}
    settings = {"strategy": form, **LONG, "steps": 100, "batch": 8, **FORMS[form], **more}
    code, fact = ENDS[end]
    with raises(code, f"rank {rank} of 2", fact, "start the run again"):
        wb.train_in_parallel(wb.model("fashion/lenet5"), ranks=2, **settings, on_record=stop)
    assert alive(ids) == []


def test_a_rank_that_cannot_connect_is_not_the_cause(monkeypatch):
    """Another one may have refused its task before all were connected."""

    def fail(*_arguments, **_options):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr("torch.distributed.init_process_group", fail)
    with raises("parallel.peer_lost"):
        join(None, 0, 2, address="127.0.0.1", seconds=1, clock=Clock(), link=Link())


JOIN = """
import sys
from torch._C._distributed_c10d import FileStore
from workbench.parallel.link import Link
from workbench.parallel.rank.clock import Clock
from workbench.parallel.rank.group import join
rank, failures, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
def connect(name, seconds):
    store = FileStore(f"{path}/{name}", 2)
    join(store, rank, 2, address="127.0.0.1", seconds=seconds, clock=Clock(), link=Link())
for number in range(failures):
    try:
        connect(f"alone-{number}", 0.1)
    except RuntimeError as error:
        print(error.code)
connect("both", 15)
print("joined", flush=True)
sys.stdin.read()
"""


def test_a_rank_that_could_not_connect_connects_in_its_next_run(tmp_path):
    command = [sys.executable, "-c", JOIN]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen([*command, "0", "2", str(tmp_path)], **pipes) as first,
        subprocess.Popen([*command, "1", "0", str(tmp_path)], **pipes) as second,
    ):
        assert [first.stdout.readline().strip() for _line in range(3)] == [
            "parallel.peer_lost",
            "parallel.peer_lost",
            "joined",
        ]
        assert second.stdout.readline().strip() == "joined"
        first.communicate()
        second.communicate()


def test_ranks_that_answer_but_make_no_progress_are_explained():
    waiting = {"kind": "receive", "peer": 1, "step": 3, "seconds": 9.0}
    computing = {"kind": "", "peer": -1, "step": 2, "seconds": 8.0}
    text = stalled({0: waiting, 1: computing}, 2, 5.0)
    assert text.startswith("Rank 1 of 2")
    assert "step 2" in text
    text = stalled({0: waiting, 1: {**waiting, "kind": "all_reduce", "peer": -1}}, 2, 5.0)
    assert "rank 0 for rank 1, rank 1 for all" in text
    text = stalled({0: waiting, 1: {**computing, "seconds": 0.2}}, 2, 5.0)
    assert text.startswith("No rank has ended a step for 5 s")  # it communicates in between


def test_a_simulated_link_that_is_slower_than_the_limit_is_the_reason():
    settings = {"steps": 2, "batch": 16, "latency_ms": 900.0, "limit": 1.5, "exact": False}
    with raises("parallel.timeout", "simulated link", "latency"):
        wb.train_in_parallel(wb.model("fashion/lenet5"), "zero3", 2, **settings)


CALLER = """
import workbench as wb
from workbench.parallel.pool import pool

def show(record):
    print(*pool().process_ids, flush=True)

model = wb.model("fashion/mlp-32")
wb.train_in_parallel(model, steps=2000, exact=False, on_record=show)
"""


def folders_of_runs(path):
    return [p for p in path.glob("workbench-*/") if not p.name.startswith("workbench-parallel-")]


def test_a_killed_caller_leaves_no_process_and_no_folder(tmp_path):
    variables = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path))}
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER], stdout=subprocess.PIPE, text=True, env=variables
    )
    ids = [int(text) for text in caller.stdout.readline().split()]
    assert len(folders_of_runs(tmp_path)) == 1
    caller.kill()
    caller.wait()
    wait_until(lambda: not alive(ids))
    assert folders_of_runs(tmp_path) == []


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
    with raises("parallel.timeout", "rank 0 of 1"):
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
