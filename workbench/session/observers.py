"""Observers of a session's changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

Subject = TypeVar("Subject")

log = logging.getLogger(__name__)


class Observers(Generic[Subject]):
    """Callbacks that are called with the subject after each of its changes."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._observers: list[Callable[[Subject], None]] = []

    def add(self, observer: Callable[[Subject], None]) -> Callable[[], None]:
        """Call `observer` after every change, until the returned function is called."""
        with self._lock:
            self._observers.append(observer)

        def stop() -> None:
            with self._lock, suppress(ValueError):
                self._observers.remove(observer)

        return stop

    def notify(self, subject: Subject) -> None:
        """Call all observers from this thread."""
        with self._lock:
            observers = list(self._observers)
        for observer in observers:
            try:
                observer(subject)
            except Exception:  # a failing observer must stop neither the others nor the worker
                log.exception("an observer failed")

    def clear(self) -> None:
        """Remove all observers."""
        with self._lock:
            self._observers.clear()
