"""Random numbers that a user's module draws itself in training, as `nn.Dropout` does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from workbench.runtime.seeding import seeded


class StepSeeding:
    """Sets the generators of PyTorch, NumPy and Python for one step, and puts them back after it.

    What draws nothing in the first step is taken to draw nothing at all, so that runs side by side
    need not wait for each other.
    """

    def __init__(self) -> None:
        self._draws: bool | None = None

    @contextmanager
    def __call__(self, seed: int) -> Iterator[None]:
        """Run a step whose random numbers follow from `seed`."""
        if self._draws is False:
            yield
            return
        with seeded(seed):
            before = _states()
            yield
            self._draws = bool(self._draws) or _states() != before


def _states() -> tuple[Any, ...]:
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - the module's may be the old one
    words = numpy["state"]["key"].tobytes(), numpy["state"]["pos"]
    return torch.random.get_rng_state().numpy().tobytes(), words, random.getstate()
