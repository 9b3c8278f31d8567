"""Random numbers that a module draws itself, from the seed of each training step."""

from __future__ import annotations

from threading import Lock

import torch
from torch import Generator, Tensor

_one_at_a_time = Lock()  # PyTorch has one generator for all threads


class Chance:
    """Within it, PyTorch's own generator, as in `nn.Dropout`, follows the state of `generator`.

    Afterwards it is as it was. If nothing was drawn the first time, nothing is done from then on.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.draws: bool | None = None
        self._before: Tensor | None = None
        self._begun: Tensor | None = None

    def __enter__(self) -> None:
        if self.draws is False:
            return
        _one_at_a_time.acquire()
        self._before = torch.random.get_rng_state()
        torch.random.set_rng_state(self.generator.get_state())
        self._begun = torch.random.get_rng_state()

    def __exit__(self, *_: object) -> None:
        if self._before is None or self._begun is None:
            return
        if self.draws is None:
            self.draws = not torch.equal(torch.random.get_rng_state(), self._begun)
        torch.random.set_rng_state(self._before)
        self._before = None
        _one_at_a_time.release()
