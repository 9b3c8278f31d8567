"""The module that training runs: private, without values, with dropout where it is asked for."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from workbench.runtime.build import is_standard_layer
from workbench.training.modes import train_mode


class DropoutLinear(nn.Linear):
    """A fully connected layer that leaves out a share of its inputs at random."""

    def __init__(self, like: nn.Linear, share: float, generator: Generator) -> None:
        bias = like.bias is not None
        super().__init__(like.in_features, like.out_features, bias, device="meta")
        self.weight, self.bias = like.weight, like.bias  # which may be tied to others
        self.share = share
        self.generator = generator

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs for `inputs` [b, n]; those that stay are scaled to keep the mean."""
        if not self.training:
            return super().forward(inputs)
        lot = torch.rand(inputs.shape, generator=self.generator)
        return super().forward(inputs * (lot >= self.share) / (1 - self.share))


def add_dropout(module: nn.Module, dropout: float, generator: Generator) -> nn.Module:
    """Return `module` in training mode, with dropout before its fully connected layers."""
    if dropout:
        _drop_out(module, dropout, generator)
    return train_mode(module)


def _drop_out(module: nn.Module, share: float, generator: Generator) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Linear) and is_standard_layer(child):
            setattr(module, name, DropoutLinear(child, share, generator))
        else:
            _drop_out(child, share, generator)
