"""What an architecture is here: how to build it, and what to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Inputs = dict[str, Tensor] | tuple[Tensor, ...]


@dataclass(frozen=True)
class Architecture:
    """A network of a family.

    `build` makes it with fresh weights; `draw` makes inputs, by name or in order, from a lot.
    """

    family: str
    name: str
    build: Callable[[], nn.Module]
    draw: Callable[[torch.Generator], Inputs]

    def inputs(self, seed: int) -> Inputs:
        """Return the inputs of a seed."""
        return self.draw(torch.Generator().manual_seed(seed))


def run(module: nn.Module, inputs: Inputs) -> list[Tensor]:
    """Return all floating-point tensors among the module's outputs, in order."""
    outputs = module(**inputs) if isinstance(inputs, dict) else module(*inputs)
    return [tensor for tensor in _tensors(outputs) if tensor.is_floating_point()]


def _tensors(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    if isinstance(outputs, dict):
        outputs = tuple(outputs.values())
    if isinstance(outputs, list | tuple):
        return [tensor for one in outputs for tensor in _tensors(one)]
    return []


def floats(*shape: int) -> Callable[[torch.Generator], Inputs]:
    """Return what draws one tensor of normal numbers."""
    return lambda lot: (torch.randn(shape, generator=lot),)


def picture(lot: torch.Generator, size: int = 32, channels: int = 3) -> Tensor:
    """Draw two square images: broad patches under the noise, for the mean of noise is always 0."""
    patches = torch.randn(2, channels, 2, 2, generator=lot).repeat_interleave(size // 2, 2)
    noise = torch.randn(2, channels, size, size, generator=lot)
    return patches.repeat_interleave(size // 2, 3) + 0.5 * noise


def images(size: int = 32, channels: int = 3) -> Callable[[torch.Generator], Inputs]:
    """Return what draws images."""
    return lambda lot: (picture(lot, size, channels),)


def tokens(length: int = 16, words: int = 1000, count: int = 2) -> Callable[..., Inputs]:
    """Return what draws sequences of words; none is the padding, 0."""
    return lambda lot: (torch.randint(1, words, (count, length), generator=lot),)
