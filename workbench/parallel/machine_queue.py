"""One parallel run at a time on a machine: members of a class do not slow each other down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.cancel import CancelToken

POLL = 0.2
"""Seconds between two attempts."""


@contextmanager
def machine_queue(cancel: CancelToken, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Wait until no other process of this user trains in parallel; the system frees a dead one's.

    Parameters
    ----------
    on_wait
        Called once if another run is under way.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled while waiting.
    """
    user = sha256(str(Path.home()).encode()).hexdigest()[:12]
    lock = FileLock(Path(tempfile.gettempdir()) / f"workbench-parallel-{user}.lock")
    while True:
        cancel.check()
        try:
            lock.acquire(timeout=POLL)
        except Timeout:
            if on_wait is not None:
                on_wait()
                on_wait = None
            continue
        break
    try:
        yield
    finally:
        lock.release()
