"""The memory allocator of a worker process."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST = 32 * 2**20
"""Bytes up to which glibc by itself learns to keep freed memory."""


@cache
def keep_freed_memory() -> None:
    """Let glibc use the memory of a freed tensor for the next one, as it does by default.

    Dask's nannies set MALLOC_TRIM_THRESHOLD_, with which glibc returns the memory of each tensor to
    the system and takes it again: the same recipe then takes about twice as long.
    """
    if sys.platform != "linux" or "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # other libraries than glibc lack it
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, LARGEST)
        set_option(M_TRIM_THRESHOLD, 2 * LARGEST)
