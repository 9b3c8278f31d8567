"""The number of threads of PyTorch operations, and a parallel map over threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from workbench.errors import Cancelled

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def set_passive_waiting() -> None:
    """Let OpenMP threads sleep at barriers instead of spinning, unless the user has set this.

    Spinning pays only if every thread has its own core. On a laptop with other work, or a server
    shared by a class, it made measuring four to six times slower. Applies to this process if
    PyTorch is not loaded yet, and to all processes that it starts.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let PyTorch operations of this thread use `count` threads."""
    import torch  # this module must be importable before torch is loaded

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def parallel_map(work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> Iterator[Result]:
    """Yield the results of `work` for `pieces`, in order, computing one piece per core.

    One piece per core is faster than one piece on all cores: operations do not wait for each other,
    and a piece stays in its core's cache. The results do not depend on the number of cores. Only
    few pieces are queued at a time, so that concurrent callers get their turn.

    Raises
    ------
    Cancelled
        If the process ends meanwhile, as that of a page does when the page is closed.
    """
    import torch

    cores = torch.get_num_threads()
    if cores < 2 or len(pieces) < 2:
        yield from map(work, pieces)
        return
    pool = _pool(cores)
    pending: deque[Future[Result]] = deque()
    try:
        for piece in pieces:
            pending.append(_submit(pool, work, piece))
            if len(pending) > 2 * cores:  # bounds the results in memory
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _submit(
    pool: ThreadPoolExecutor, work: Callable[[Piece], Result], piece: Piece
) -> Future[Result]:
    try:
        return pool.submit(work, piece)
    except BrokenExecutor:
        raise
    except RuntimeError as error:  # threads take no more work once the process ends
        raise Cancelled("The process ends.") from error


_pools: dict[int, ThreadPoolExecutor] = {}
_lock = threading.Lock()


def _pool(cores: int) -> ThreadPoolExecutor:
    with _lock:
        if cores not in _pools:
            _pools[cores] = _start(cores)
        return _pools[cores]


def _start(cores: int) -> ThreadPoolExecutor:
    """Start workers whose operations use one thread, without changing other threads.

    PyTorch has one number per process, which each thread copies when it first reads it.
    """
    import torch

    ready = threading.Barrier(cores + 1)
    pool = ThreadPoolExecutor(cores, thread_name_prefix="worker")

    def initialize() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()
        ready.wait()

    for _ in range(cores):
        pool.submit(initialize)
    ready.wait()
    torch.set_num_threads(cores)
    return pool
