"""Dropout before the fully connected layers of a module."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from workbench.runtime.build import is_standard_layer
from workbench.training.modes import train_mode


class DropoutLinear(nn.Linear):
    """A fully connected layer that zeroes a random share of its inputs in training mode."""

    def __init__(self, like: nn.Linear, share: float, generator: Generator) -> None:
        bias = like.bias is not None
        super().__init__(like.in_features, like.out_features, bias, device="meta")
        self.weight, self.bias = like.weight, like.bias  # the same objects: they may be tied
        self.share = share
        self.generator = generator

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs for `inputs` [b, n]. Remaining inputs are scaled to keep the mean."""
        if not self.training:
            return super().forward(inputs)
        random = torch.rand(inputs.shape, generator=self.generator)
        return super().forward(inputs * (random >= self.share) / (1 - self.share))


def add_dropout(module: nn.Module, dropout: float, generator: Generator) -> nn.Module:
    """Return `module` in training mode, with dropout before its fully connected layers.

    The module is changed in place.
    """
    if dropout:
        _replace_linear(module, dropout, generator)
    return train_mode(module)


def _replace_linear(module: nn.Module, share: float, generator: Generator) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Linear) and is_standard_layer(child):
            setattr(module, name, DropoutLinear(child, share, generator))
        else:
            _replace_linear(child, share, generator)
