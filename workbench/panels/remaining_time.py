"""How long a measurement still takes, from the results that arrived."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST = 0.5  # s between the results from which a rate follows


class RemainingTime:
    """The time until all examples are evaluated.

    The rate counts from the first result: creating the file and the first batch take much longer
    than later batches.

    Parameters
    ----------
    clock
        Returns the time, in s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[object, float, int] = (None, 0.0, 0)

    def seconds(self, measured: object, examples: int, total: int) -> float | None:
        """Return the time in s, or None while it is not known.

        Parameters
        ----------
        measured
            What is measured; another value begins another measurement.
        examples, total
            The examples that are evaluated, and all of them.
        """
        now = self._clock()
        known, start, before = self._first
        if known != measured or examples < before:
            self._first = (measured, now, examples)
            return None
        if examples == before or now - start < LEAST:
            return None
        return (now - start) * (total - examples) / (examples - before)
