"""One parallel run at a time on a machine, in the order of their calls.

Members of a class do not slow each other down. Each run takes a numbered ticket, a file that it
locks until its end, and waits for all tickets with smaller numbers. The system frees the lock of a
process that dies, so that no other waits for its ticket, whether the process ran or waited.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.cancel import CancelToken

POLL = 0.2
"""Seconds between two checks for cancellation."""
TICKET = ".ticket"


@contextmanager
def machine_queue(cancel: CancelToken, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Wait until no process of this user that asked earlier trains in parallel.

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
    folder = Path(tempfile.gettempdir()) / f"workbench-parallel-{user}"
    folder.mkdir(exist_ok=True)
    number, ticket = _take_ticket(folder, cancel)
    try:
        for before in sorted(each for each in _numbers(folder) if each < number):
            lock = FileLock(_path(folder, before))
            while not _acquired(lock):
                if on_wait is not None:
                    on_wait()
                    on_wait = None
                cancel.check()
            _drop(lock)
        cancel.check()
        yield
    finally:
        _drop(ticket)


def _take_ticket(folder: Path, cancel: CancelToken) -> tuple[int, FileLock]:
    """Return the number and the lock of a new ticket, which is larger than all others."""
    turnstile = FileLock(folder / "turnstile.lock")
    while not _acquired(turnstile):
        cancel.check()
    try:
        number = 1 + max(_numbers(folder), default=0)
        ticket = FileLock(_path(folder, number))
        ticket.acquire()
    finally:
        turnstile.release()
    return number, ticket


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number}{TICKET}"


def _numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob(f"*{TICKET}")]


def _acquired(lock: FileLock) -> bool:
    """Wait for a lock for a moment; return whether this process has it."""
    try:
        lock.acquire(timeout=POLL)
    except Timeout:
        return False
    return True


def _drop(ticket: FileLock) -> None:
    """Remove a ticket: only its holder does, or it could be that of a later run."""
    with suppress(OSError):  # Windows removes it when it is released
        Path(ticket.lock_file).unlink()
    ticket.release()
