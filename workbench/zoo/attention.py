"""Pre-norm transformer blocks (Vaswani et al., arXiv 1706.03762)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Positions(nn.Module):
    """Learned position embeddings, `weight` [positions, channels]."""

    cache: int | None = None
    """The number of positions decoded so far during incremental decoding, else None."""

    def __init__(self, positions: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(positions, channels).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        """Add the embeddings to [b, t, channels]; t is at most the remaining positions."""
        begin = self.cache or 0
        if self.cache is not None:
            self.cache += x.shape[1]
        return x + self.weight[begin : begin + x.shape[1]]


class Attention(nn.Module):
    """Multi-head self-attention over all unmasked positions, or causal attention."""

    cache: tuple[Tensor, ...] | None = None
    """Keys and values [b, heads, t, size] during incremental decoding; empty before the first."""

    def __init__(self, channels: int, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.inputs = nn.Linear(channels, 3 * channels)
        self.outputs = nn.Linear(channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map [b, t, channels] to the same shape; `mask` [b, t] is false at padding."""
        split = self.inputs(x).unflatten(-1, (3, self.heads, -1))  # [b, t, 3, heads, size]
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        key_mask = None if mask is None else mask[:, None, None]
        first = not self.cache
        if self.cache is not None:
            if self.cache:
                key = torch.cat([self.cache[0], key], dim=2)
                value = torch.cat([self.cache[1], value], dim=2)
            self.cache = key, value
        y = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=key_mask, is_causal=self.causal and first
        )
        out: Tensor = self.outputs(y.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """Attention, then a two-layer network at each position, both with a residual connection."""

    def __init__(self, channels: int, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, causal=causal)
        self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map [b, t, channels] to the same shape; `mask` [b, t] is false at padding."""
        x = x + self.attention(self.norm1(x), mask)
        out: Tensor = x + self.fc2(self.gelu(self.fc1(self.norm2(x))))
        return out


def start_incremental_decoding(module: nn.Module) -> None:
    """Make a causal network cache its keys and values from now on.

    The first call takes any number of positions, each later call one position that attends to all
    earlier ones. The outputs equal those for the entire text.
    """
    for layer in module.modules():
        if isinstance(layer, Positions):
            layer.cache = 0
        elif isinstance(layer, Attention):
            layer.cache = ()
