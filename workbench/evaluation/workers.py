"""Workers: threads that run batches side by side, each on one core.

Batches on one core each beat one batch on all cores: no waiting for each other within a layer,
and a batch stays in its core's cache.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import torch

_pools: dict[int, ThreadPoolExecutor] = {}
_lock = threading.Lock()


def workers() -> ThreadPoolExecutor:
    """Return this process's workers: as many as PyTorch has threads."""
    threads = torch.get_num_threads()
    with _lock:
        if threads not in _pools:
            _pools[threads] = _start(threads)
        return _pools[threads]


def _start(threads: int) -> ThreadPoolExecutor:
    """Start workers whose operations take one thread, and leave all other threads as they were.

    PyTorch keeps one number for the process and each thread copies it once, when it first asks.
    """
    ready = threading.Barrier(threads + 1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")

    def settle() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()
        ready.wait()

    for _ in range(threads):
        pool.submit(settle)
    ready.wait()
    torch.set_num_threads(threads)
    return pool
