"""Seeding of random layers in a user's module, such as `nn.Dropout`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from workbench.runtime.seeding import seeded


class StepSeeding:
    """Seeds the global generators of PyTorch, NumPy and Python for each step, and restores them.

    If the first step draws no random number, the module is assumed to be deterministic: later steps
    are not seeded, and runs in parallel threads need not wait for each other.
    """

    def __init__(self) -> None:
        self._is_random: bool | None = None

    @contextmanager
    def __call__(self, seed: int) -> Iterator[None]:
        """Run a step with the global generators seeded by `seed`."""
        if self._is_random is False:
            yield
            return
        with seeded(seed):
            before = _states()
            yield
            self._is_random = bool(self._is_random) or _states() != before


def _states() -> tuple[Any, ...]:
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - modules may use the legacy generator
    words = numpy["state"]["key"].tobytes(), numpy["state"]["pos"]
    return torch.random.get_rng_state().numpy().tobytes(), words, random.getstate()
