"""Calls of a job, of which a newer one supersedes those before it."""

from __future__ import annotations

from collections.abc import Callable


class Calls:
    """The calls of one job: a newer call supersedes the ones before it."""

    def __init__(self) -> None:
        self._count = 0

    def begin(self) -> Callable[[], bool]:
        """Begin a call under the session's lock; return a check for whether a newer one began."""
        self._count += 1
        number = self._count
        return lambda: number != self._count
