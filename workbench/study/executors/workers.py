"""The workers of a Dask cluster, and how many threads each has."""

from __future__ import annotations

import time
from math import inf
from typing import Any

from workbench.study.executors.faults import connection_lost, workers_lost

LOOK = 1.0
"""Seconds after which the scheduler is asked for its workers again: a question to it takes time
from workers on the same machine."""
WITHOUT_WORKERS = 30
"""Seconds that a study waits for a worker after the last one has ended."""


class Workers:
    """The workers of the scheduler at `address`, to which `client` is connected."""

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address
        self._threads: dict[str, int] = {}
        self._looked, self._empty_since = -inf, inf

    def threads(self) -> dict[str, int]:
        """Return the number of threads of each worker, at most a second old.

        Raises
        ------
        InputError
            If the connection is lost, or there is no worker for half a minute.
        """
        now = time.monotonic()
        if now - self._looked > LOOK:
            try:
                self._threads = self._client.nthreads()
            except OSError as error:
                raise connection_lost(self._address) from error
            self._looked = now
            self._empty_since = inf if self._threads else min(now, self._empty_since)
        if now - self._empty_since > WITHOUT_WORKERS:
            raise workers_lost(self._address)
        return self._threads
