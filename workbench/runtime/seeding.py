"""Random numbers for somebody else's code, which takes them from the generators of the process."""

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
    """Leave the generators of PyTorch, NumPy and Python as they were, whatever runs inside."""
    with _lock, torch.random.fork_rng(devices=[]):
        before = np.random.get_state(), random.getstate()  # noqa: NPY002 - theirs is the old one
        try:
            yield
        finally:
            np.random.set_state(before[0])  # noqa: NPY002
            random.setstate(before[1])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run what is inside with all three generators set by `seed`, and leave them as they were."""
    with preserve_random_state():
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        yield
