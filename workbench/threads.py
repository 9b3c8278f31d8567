"""How many threads one operation takes, and how they wait for each other."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Piece = TypeVar("Piece")
Found = TypeVar("Found")


def set_passive_waiting() -> None:
    """Let OpenMP threads sleep at barriers instead of spinning, unless the person chose.

    Spinning pays only where every thread has a core to itself. On a laptop that does something
    else too, or a server with a class on it, it made measuring four to six times slower. Works
    for this process if PyTorch is not loaded yet, and for all that it starts.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let PyTorch's operations of this thread use `count` cores."""
    import torch  # callers have it; this module is read before it may be loaded

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def parallel_map(work: Callable[[Piece], Found], pieces: Sequence[Piece]) -> Iterator[Found]:
    """Yield what `work` returns for each of `pieces`, in their order, a piece on each core.

    Pieces on one core each beat one piece on all cores: no waiting for each other within an
    operation, and a piece stays in its core's cache. Results are the same whatever the number of
    cores. Few pieces wait in line at a time, so that others who ask get their turn.
    """
    import torch

    cores = torch.get_num_threads()
    if cores < 2 or len(pieces) < 2:
        yield from map(work, pieces)
        return
    pool = _pool(cores)
    ahead: deque[Future[Found]] = deque()
    try:
        for piece in pieces:
            ahead.append(pool.submit(work, piece))
            if len(ahead) > 2 * cores:  # no more results lie about than are about to be asked for
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        for future in ahead:
            future.cancel()


_pools: dict[int, ThreadPoolExecutor] = {}
_lock = threading.Lock()


def _pool(cores: int) -> ThreadPoolExecutor:
    with _lock:
        if cores not in _pools:
            _pools[cores] = _start(cores)
        return _pools[cores]


def _start(cores: int) -> ThreadPoolExecutor:
    """Start workers whose operations take one thread, and leave all other threads as they were.

    PyTorch keeps one number for the process and each thread copies it once, when it first asks.
    """
    import torch

    ready = threading.Barrier(cores + 1)
    pool = ThreadPoolExecutor(cores, thread_name_prefix="worker")

    def settle() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()
        ready.wait()

    for _ in range(cores):
        pool.submit(settle)
    ready.wait()
    torch.set_num_threads(cores)
    return pool
