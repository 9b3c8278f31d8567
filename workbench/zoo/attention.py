"""The parts of a transformer (Vaswani et al., arXiv 1706.03762), normalised before each part."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Positions(nn.Module):
    """Adds to each place of a sequence a vector of its own, `weight` [places, channels]."""

    read: int | None = None
    """How many places were read so far, by a network that goes on reading."""

    def __init__(self, places: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(places, channels).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        """Change [b, t, channels], t at most as many as there are places left."""
        begin = self.read or 0
        if self.read is not None:
            self.read += x.shape[1]
        return x + self.weight[begin : begin + x.shape[1]]


class Attention(nn.Module):
    """Each place looks at others: all that are real, or, if `causal`, itself and those before."""

    read: tuple[Tensor, ...] | None = None
    """Keys and values [b, heads, t, size] of the places read so far; empty before the first."""

    def __init__(self, channels: int, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.inputs = nn.Linear(channels, 3 * channels)
        self.outputs = nn.Linear(channels, channels)

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """Turn [b, t, channels] into the same shape; `real` is true [b, t] where it may look."""
        split = self.inputs(x).unflatten(-1, (3, self.heads, -1))  # [b, t, 3, heads, size]
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        mask = None if real is None else real[:, None, None]
        first = not self.read
        if self.read is not None:
            if self.read:
                key = torch.cat([self.read[0], key], dim=2)
                value = torch.cat([self.read[1], value], dim=2)
            self.read = key, value
        y = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=self.causal and first
        )
        out: Tensor = self.outputs(y.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """Attention, then two layers at each place, both beside a shortcut."""

    def __init__(self, channels: int, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, causal=causal)
        self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """Turn [b, t, channels] into the same shape; `real` is true [b, t] where it may look."""
        x = x + self.attention(self.norm1(x), real)
        out: Tensor = x + self.fc2(self.gelu(self.fc1(self.norm2(x))))
        return out


def start_incremental_decoding(module: nn.Module) -> None:
    """Let a causal network read a text piece by piece from now on.

    The first call takes any number of places and each later one a single place, which looks at all
    before it: the same outputs as from the whole text, without computing it anew.
    """
    for layer in module.modules():
        if isinstance(layer, Positions):
            layer.read = 0
        elif isinstance(layer, Attention):
            layer.read = ()
