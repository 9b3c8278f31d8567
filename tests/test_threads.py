"""Work side by side: each piece on one core, in order, and other threads stay as they were."""

import threading

import pytest
import torch

from workbench.threads import parallel_map


@pytest.fixture(autouse=True)
def _three_threads(threads):
    """More than one, also where the suite grants each test only one."""
    threads(3)


def test_a_worker_computes_on_one_thread_and_all_others_as_before():
    before = 3
    at_once = threading.Barrier(before, timeout=30)

    def look(_number):
        at_once.wait()  # so that every worker has to answer
        return torch.get_num_threads(), threading.current_thread().name

    found = list(parallel_map(look, range(before)))
    assert {threads for threads, _name in found} == {1}
    assert len({name for _threads, name in found}) == before
    assert torch.get_num_threads() == before
    elsewhere = []
    other = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert elsewhere == [before]


def test_results_come_in_order_and_no_piece_is_begun_long_before_it_is_asked_for():
    begun = []
    results = parallel_map(begun.append, range(1000))
    next(results)
    results.close()
    assert len(begun) < 100
    assert list(parallel_map(str, range(50))) == list(map(str, range(50)))


def test_workers_are_started_once():
    def worker(_number):
        return threading.get_native_id()

    found = {thread for _ in range(5) for thread in parallel_map(worker, range(20))}
    assert len(found) <= 3
