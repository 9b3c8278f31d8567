"""Who is told of changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

Subject = TypeVar("Subject")

log = logging.getLogger(__name__)


class Observers(Generic[Subject]):
    """Functions that are called with what has changed, each until it is stopped."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._all: list[Callable[[Subject], None]] = []

    def add(self, observer: Callable[[Subject], None]) -> Callable[[], None]:
        """Call `observer` after every change, until the returned function is called."""
        with self._lock:
            self._all.append(observer)

        def stop() -> None:
            with self._lock, suppress(ValueError):
                self._all.remove(observer)

        return stop

    def tell(self, subject: Subject) -> None:
        """Call them all, from this thread."""
        with self._lock:
            observers = list(self._all)
        for observer in observers:
            try:
                observer(subject)
            except Exception:  # one that fails must stop neither the others nor the worker
                log.exception("an observer failed")

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._all.clear()
