"""Blocks shared by several networks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def conv(
    inputs: int,
    outputs: int,
    size: int | tuple[int, int] = 3,
    stride: int = 1,
    groups: int = 1,
    act: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Return a convolution with batch norm and activation, padded to keep the size."""
    padding = size // 2 if isinstance(size, int) else tuple(side // 2 for side in size)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        act(),
    )


def classifier(width: int, classes: int = 10) -> nn.Sequential:
    """Return global average pooling and a linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def mlp(width: int, hidden: int, outputs: int = 0) -> nn.Sequential:
    """Return two layers with GELU between them."""
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, outputs or width))


class Residual(nn.Module):
    """A residual connection around `body`, with an optional shortcut."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut or nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the body's shape."""
        outputs: Tensor = self.shortcut(inputs) + self.body(inputs)
        return outputs


class Concat(nn.Module):
    """The outputs of all branches, concatenated along the channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, sum of the channels, ...]."""
        return torch.cat([branch(inputs) for branch in self.branches], dim=1)


class Squeeze(nn.Module):
    """Squeeze and excitation: a gate for every channel, from the channel means."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, width, 1),
            nn.Sigmoid(),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the inputs' shape."""
        outputs: Tensor = inputs * self.gate(inputs)
        return outputs


class Moved(nn.Module):
    """A permutation of the axes."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a view of the inputs."""
        return inputs.permute(self.order)


class Channels(nn.Module):
    """A channels-last module inside a channels-first network."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, c, h, w]."""
        outputs: Tensor = self.body(inputs.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return outputs


class Attention(nn.Module):
    """Self-attention with one layer for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return [n, tokens, width]; `bias` is added to the attention, [heads, tokens, tokens]."""
        n, length, width = inputs.shape
        parts = self.qkv(inputs).view(n, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        outputs: Tensor = self.out(attended.transpose(1, 2).reshape(n, length, width))
        return outputs


def encoder_block(width: int, heads: int, mixer: nn.Module | None = None) -> nn.Sequential:
    """Return a pre-norm transformer block in which `mixer` replaces attention."""
    return nn.Sequential(
        Residual(nn.Sequential(nn.LayerNorm(width), mixer or Attention(width, heads))),
        Residual(nn.Sequential(nn.LayerNorm(width), mlp(width, 4 * width))),
    )


class Patches(nn.Module):
    """Patch embedding: one token for each square of the image."""

    def __init__(self, width: int, size: int, channels: int = 3) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, width, size, size)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, tokens, width]."""
        outputs: Tensor = self.project(inputs).flatten(2).transpose(1, 2)
        return outputs


class MeanOf(nn.Module):
    """The mean over an axis."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the inputs without the axis."""
        return inputs.mean(self.axis)


class Scale(nn.Module):
    """A factor for every entry of the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the inputs' shape."""
        return inputs * self.gamma
