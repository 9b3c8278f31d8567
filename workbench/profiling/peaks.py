"""The peaks of this machine: multiply-adds and bytes per second of one thread, measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from workbench.cancel import NEVER, CancelToken
from workbench.threads import threads

SIZE = 768
"""Rows of the square matrices that are multiplied."""
COPIED_BYTES = 64 * 2**20
"""More than a cache holds."""
CALLS = 25
BUSY_SHARE = 0.8
"""The processor time relative to the time that passed, below which other work disturbed a call."""


@dataclass(frozen=True)
class Peaks:
    """What one thread reaches in float32.

    Attributes
    ----------
    macs_per_second : float
        Multiply-adds of a matrix product.
    bytes_per_second : float
        Bytes that a copy through memory reads and writes.
    busy : bool
        Whether other work disturbed most calls, so that the machine can do more.
    """

    macs_per_second: float
    bytes_per_second: float
    busy: bool

    @property
    def ridge(self) -> float:
        """Multiply-adds per byte above which arithmetic takes longer than memory."""
        return self.macs_per_second / self.bytes_per_second


def measure_peaks(cancel: CancelToken = NEVER) -> Peaks:
    """Multiply matrices and copy memory on one thread; the fastest calls count.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two calls.
    """
    matrix = torch.ones(SIZE, SIZE)
    product = torch.empty(SIZE, SIZE)
    source = torch.ones(COPIED_BYTES // 4)
    target = torch.empty_like(source)
    with threads(1):
        arithmetic, first_share = _fastest(lambda: torch.mm(matrix, matrix, out=product), cancel)
        copying, second_share = _fastest(lambda: target.copy_(source), cancel)
    busy = min(first_share, second_share) < BUSY_SHARE
    return Peaks(SIZE**3 / arithmetic, 2 * COPIED_BYTES / copying, busy)


def _fastest(call: Callable[[], object], cancel: CancelToken) -> tuple[float, float]:
    """Return the seconds of the fastest call, and the share of a processor of the median one."""
    call()
    seconds, shares = [], []
    for _number in range(CALLS):
        cancel.check()
        start, processor = time.perf_counter(), time.thread_time()
        call()
        seconds.append(time.perf_counter() - start)
        shares.append((time.thread_time() - processor) / seconds[-1])
    return min(seconds), sorted(shares)[CALLS // 2]
