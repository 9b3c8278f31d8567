"""The workers: each on one core, and no other thread's number of threads changes."""

import threading

import torch

from workbench.evaluation.workers import workers


def test_a_worker_computes_on_one_thread_and_all_others_as_before():
    before = torch.get_num_threads()
    at_once = threading.Barrier(before, timeout=30)

    def look(_number):
        at_once.wait()  # so that every worker has to answer
        return torch.get_num_threads(), threading.current_thread().name

    found = list(workers().map(look, range(before)))
    assert {threads for threads, _name in found} == {1}
    assert len({name for _threads, name in found}) == before
    assert torch.get_num_threads() == before
    elsewhere = []
    other = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert elsewhere == [before]


def test_workers_are_started_once():
    assert workers() is workers()
