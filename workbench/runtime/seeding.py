"""Seeding of the global random generators, for code that draws from them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import numpy as np
import torch

_lock = RLock()  # PyTorch, NumPy and Python each have one generator for all threads


@contextmanager
def preserve_random_state() -> Iterator[None]:
    """Restore the global generators of PyTorch, NumPy and Python after the context."""
    with _lock, torch.random.fork_rng(devices=[]):
        before = np.random.get_state(), random.getstate()  # noqa: NPY002 - user code draws from the legacy generator
        try:
            yield
        finally:
            np.random.set_state(before[0])  # noqa: NPY002
            random.setstate(before[1])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed all three global generators inside the context and restore them afterwards."""
    with preserve_random_state():
        seed_generators(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        yield


def seed_generators(seed: int) -> None:
    """Seed PyTorch's global generators.

    Without an accelerator, `torch.manual_seed` formats and keeps three stack traces at each call.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
