"""How many threads one operation takes, and how they wait for each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def sleep_while_waiting() -> None:
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
