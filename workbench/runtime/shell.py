"""Shells: private modules without values that run on given weights.

`torch.func.functional_call` swaps tensors into the module while it runs, so threads must not share
a module. Each shell belongs to one thread. Its own tensors are on the meta device.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.cache.memory import MemoryCache
from workbench.runtime.batch import call

if TYPE_CHECKING:
    from workbench.domain.model import Model

MOST_SHELLS = 8
"""Number of shells cached by each thread. A spec with input scales needs one for each file."""


class Shell:
    """A model's module in eval mode without values.

    `fast` replaces some layers by faster ones with equal outputs.
    """

    def __init__(self, model: Model, *, fast: bool = False) -> None:
        self.module = model.module()
        self.no_grad = model.architecture.no_grad
        if fast:
            speed_up(self.module)

    def __call__(self, weights: Mapping[str, Tensor], inputs: Any) -> Any:
        """Return the outputs for a batch, as `call` does."""
        with self.no_grad():
            return call(self.module, weights, inputs)


class BlockMax(nn.Module):
    """Max pooling over non-overlapping blocks, as elementwise maxima.

    It is exact, and several times faster than the general kernel on channels-last tensors.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the maximum of each block of `inputs` [n, c, h, w]."""
        size = self.size
        n, c, h, w = inputs.shape
        rows, columns = h // size, w // size
        blocks = inputs.permute(0, 2, 3, 1)[:, : rows * size, : columns * size]
        blocks = blocks.reshape(n, rows, size, columns, size, c)
        maxima = _maximum(blocks, 2, size)
        return _maximum(maxima, 3, size).permute(0, 3, 1, 2)


def _maximum(blocks: Tensor, dim: int, size: int) -> Tensor:
    maximum = blocks.select(dim, 0)
    for offset in range(1, size):
        maximum = torch.maximum(maximum, blocks.select(dim, offset))
    return maximum


def speed_up(module: nn.Module) -> nn.Module:
    """Replace layers of a private `module` by faster ones with equal outputs, and return it."""
    for name, child in module.named_children():
        if isinstance(child, nn.MaxPool2d) and _tiles(child):
            setattr(module, name, BlockMax(int(child.kernel_size)))  # type: ignore[arg-type]
        else:
            speed_up(child)
    return module


def _tiles(pool: nn.MaxPool2d) -> bool:
    square = isinstance(pool.kernel_size, int) and pool.kernel_size == pool.stride
    dense = pool.padding == 0 and pool.dilation == 1
    return square and dense and not pool.ceil_mode and not pool.return_indices


_thread = threading.local()


def shell(model: Model, *, fast: bool = False) -> Shell:
    """Return this thread's shell for `model` and its spec."""
    shells: MemoryCache[Shell] = _thread.__dict__.setdefault("shells", MemoryCache(MOST_SHELLS))
    return shells.of(
        (model.key, fast), lambda: Shell(model, fast=fast), model.architecture.lifetime
    )
