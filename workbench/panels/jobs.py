"""The operations that run in the background, so that each can be cancelled on its own."""

from __future__ import annotations

import itertools
import threading
from typing import Any
from weakref import WeakKeyDictionary

from workbench.cancel import CancelToken
from workbench.session import Session

MEASUREMENT = "measurement"
"""The name under which the page cancels measuring, or training, the current recipe."""
COMPARISON = "comparison"
"""The name under which the page cancels the comparison of the original and the file."""

_numbers = itertools.count(1)


def progress_message(job: str, text: str) -> dict[str, Any]:
    """Return the first message about the progress of an operation, which gets a new number.

    All its later messages have the same number, because several can run at the same time.
    """
    return {"kind": "progress", "number": next(_numbers), "job": job, "text": text}


class Jobs:
    """The tokens of all operations that have begun and not ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[tuple[str, CancelToken]] = []

    def begin(self, name: str) -> CancelToken:
        """Return the token of a new operation."""
        token = CancelToken()
        with self._lock:
            self._running.append((name, token))
        return token

    def end(self, token: CancelToken) -> None:
        """Forget an operation that has ended."""
        with self._lock:
            self._running = [pair for pair in self._running if pair[1] is not token]

    def cancel(self, name: str | None = None) -> None:
        """Cancel all operations of a name, or all."""
        with self._lock:
            tokens = [token for other, token in self._running if name in (None, other)]
        for token in tokens:
            token.cancel()


_jobs: WeakKeyDictionary[Session, Jobs] = WeakKeyDictionary()
_jobs_lock = threading.Lock()


def jobs_of(session: Session) -> Jobs:
    """Return the operations of all widgets of a session: each shows the work of the others."""
    with _jobs_lock:
        return _jobs.setdefault(session, Jobs())
