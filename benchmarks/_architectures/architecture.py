"""An architecture: how to build it and how to draw its inputs."""

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

    `build` makes the module with random weights. `draw` makes its inputs, by name or by position,
    from a generator.
    """

    family: str
    name: str
    build: Callable[[], nn.Module]
    draw: Callable[[torch.Generator], Inputs]

    def inputs(self, seed: int) -> Inputs:
        """Return the inputs for a seed."""
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
        return [tensor for output in outputs for tensor in _tensors(output)]
    return []


def floats(*shape: int) -> Callable[[torch.Generator], Inputs]:
    """Return a function that draws one normally distributed tensor."""
    return lambda rng: (torch.randn(shape, generator=rng),)


def image(rng: torch.Generator, size: int = 32, channels: int = 3) -> Tensor:
    """Draw two square images: noise on large patches, so that their means differ."""
    patches = torch.randn(2, channels, 2, 2, generator=rng).repeat_interleave(size // 2, 2)
    noise = torch.randn(2, channels, size, size, generator=rng)
    return patches.repeat_interleave(size // 2, 3) + 0.5 * noise


def images(size: int = 32, channels: int = 3) -> Callable[[torch.Generator], Inputs]:
    """Return a function that draws images."""
    return lambda rng: (image(rng, size, channels),)


def tokens(length: int = 16, words: int = 1000, count: int = 2) -> Callable[..., Inputs]:
    """Return a function that draws sequences of words without the padding, 0."""
    return lambda rng: (torch.randint(1, words, (count, length), generator=rng),)
