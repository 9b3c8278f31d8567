"""All ranks update the same weights in shared memory, with or without a lock.

Without a lock this is Hogwild (Niu et al., arXiv 1106.5730): each rank reads and writes while
others do, so the result depends on their timing.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from filelock import FileLock

from workbench.parallel.rank.clock import LOCK, Span
from workbench.parallel.rank.data_parallel import Replica
from workbench.parallel.rank.strategy import Setup
from workbench.parallel.waits import PATIENCE, here

POLL = 0.0005
"""Seconds between two attempts to get the lock."""
INCREMENTS = 300_000
LOCKED_INCREMENTS = 200
"""Increments of each rank in the count of lost updates.

Without a lock they last longer than a time slice of the system, so that the ranks run at the same
time even on one core. A lock takes some 0.1 ms for each.
"""


class SharedWeights(Replica):
    """A replica whose weights are those of all ranks: a file that every rank maps."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        size = sum(p.numel() for p in self.parameters.values())
        memory = torch.from_numpy(np.memmap(setup.shared, np.float32, "r+", shape=(size,)))
        self._memory = memory
        start = 0
        with torch.no_grad():
            for parameter in self.parameters.values():
                part = memory[start : start + parameter.numel()].view_as(parameter)
                if setup.rank == 0:
                    part.copy_(parameter)
                parameter.data = part
                start += parameter.numel()
        locked = setup.plan.sync == "shared_locked"
        self._lock = FileLock(f"{setup.shared}.lock", poll_interval=POLL) if locked else None
        dist.barrier()  # no rank starts before the weights are there and all ranks are

    def backward(self, step: int) -> float:
        """Compute a gradient at the shared weights; with a lock no other rank changes them."""
        if self._lock is not None:
            start = self.setup.clock.begin()
            with here.waiting(LOCK):
                self._lock.acquire(timeout=self.setup.plan.limit + PATIENCE)
            self.setup.clock.end(Span(LOCK, start, time.perf_counter()))
        return super().backward(step)

    def update(self, step: int) -> None:
        """Change the shared weights in place."""
        super().update(step)
        if self._lock is not None:
            self._lock.release()

    def finish(self) -> None:
        """Wait until no rank changes the weights any more."""
        dist.barrier()


def count_lost_updates(path: Path, seconds: float, *, locked: bool) -> tuple[int, int]:
    """Let all ranks increment one number behind a start barrier.

    Parameters
    ----------
    seconds
        The longest time that a rank waits for the lock.

    Returns
    -------
    tuple of int
        The increments of this rank, and the number at the end.
    """
    number = np.memmap(path, np.int64, "r+", shape=(1,))
    count = LOCKED_INCREMENTS if locked else INCREMENTS
    lock = FileLock(f"{path}.lock", poll_interval=POLL) if locked else nullcontext()
    if isinstance(lock, FileLock):
        lock.timeout = seconds
    dist.barrier()
    for _repeat in range(count):
        with lock:
            value = int(number[0])
            number[0] = value + 1
    dist.barrier()
    return count, int(number[0])
