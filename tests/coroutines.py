"""Run coroutines in tests, whatever ran before them in the same process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor


def wait_for(coroutine):
    """Return the result of `coroutine`, which runs in another thread.

    After browser tests, Playwright leaves an event loop running in the main thread.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
