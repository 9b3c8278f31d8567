"""The parallel map: one piece per core, results in order, other threads unchanged."""

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest
import torch

import workbench.threads
from workbench.errors import Cancelled
from workbench.threads import parallel_map


@pytest.fixture(autouse=True)
def _three_threads(threads):
    """Use three threads, even if the suite gives each test only one."""
    threads(3)


def test_workers_use_one_thread_and_other_threads_are_unchanged():
    before = 3
    barrier = threading.Barrier(before, timeout=30)

    def report(_number):
        barrier.wait()  # makes every worker take part
        return torch.get_num_threads(), threading.current_thread().name

    results = list(parallel_map(report, range(before)))
    assert {threads for threads, _name in results} == {1}
    assert len({name for _threads, name in results}) == before
    assert torch.get_num_threads() == before
    elsewhere = []
    other = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert elsewhere == [before]


def test_results_are_in_order_and_few_pieces_run_ahead():
    started = []
    results = parallel_map(started.append, range(1000))
    next(results)
    results.close()
    assert len(started) < 100
    assert list(parallel_map(str, range(50))) == list(map(str, range(50)))


def test_workers_are_started_once():
    def worker(_number):
        return threading.get_native_id()

    threads = {thread for _ in range(5) for thread in parallel_map(worker, range(20))}
    assert len(threads) <= 3


def test_two_callers_do_not_start_workers_twice(monkeypatch):
    lock, start, free = threading.Lock(), workbench.threads._start, []
    monkeypatch.setattr("workbench.threads._pools", {})
    monkeypatch.setattr("workbench.threads._lock", lock)

    def observed(cores):
        with ThreadPoolExecutor(1) as other:
            free.append(other.submit(lock.acquire, blocking=False).result(60))
        return start(cores)

    monkeypatch.setattr("workbench.threads._start", observed)
    assert list(parallel_map(str, range(9))) == list(map(str, range(9)))
    assert free == [False]


def test_work_is_cancelled_if_the_process_ends_meanwhile():
    pool = ThreadPoolExecutor(2)
    pool.shutdown()
    with patch("workbench.threads._pool", lambda cores: pool), pytest.raises(Cancelled):
        list(parallel_map(str, range(9)))
