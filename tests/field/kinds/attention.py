"""Attention and transformers: PyTorch's fused paths, masks, positions computed in forward."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES, WORDS
from tests.field.kind import kind


def layer(**settings) -> nn.TransformerEncoderLayer:
    """Return a small encoder layer without dropout."""
    return nn.TransformerEncoderLayer(8, 2, 16, **{"dropout": 0.0, "batch_first": True, **settings})


class Encoder(nn.Module):
    """An encoder of PyTorch layers over positions, and a classification head."""

    def __init__(self, *, nested=False, **settings):
        super().__init__()
        self.e = nn.TransformerEncoder(layer(**settings), 2, enable_nested_tensor=nested)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.fc(self.e(x).mean(1))


@kind("sequences")
def encoder():
    """Return an encoder that uses the fused path in eval mode."""
    return Encoder()


@kind("sequences")
def encoder_norm_first():
    """Return a pre-norm encoder with GELU."""
    return Encoder(norm_first=True, activation="gelu")


@kind("sequences")
class EncoderTimeFirst(Encoder):
    def __init__(self):
        super().__init__(batch_first=False, dropout=0.3)

    def forward(self, x):
        return self.fc(self.e(x.transpose(0, 1)).mean(0))


@kind("words")
class EncoderPadded(nn.Module):
    """PyTorch's defaults with a padding mask, which use nested tensors."""

    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(WORDS, 8)
        self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, ids):
        return self.fc(self.t(self.e(ids), src_key_padding_mask=ids == 0)[:, 0])


@kind("next words")
class CausalEncoder(nn.Module):
    """The causal mask and sinusoidal positions in float32 are computed in forward."""

    def __init__(self):
        super().__init__()
        self.embed, self.t = nn.Embedding(WORDS, 8), nn.TransformerEncoder(layer(), 1)
        self.head = nn.Linear(8, WORDS)

    def forward(self, ids):
        count = ids.shape[1]
        angles = torch.arange(count).float()[:, None] * torch.exp(-torch.arange(8).float())
        mask = nn.Transformer.generate_square_subsequent_mask(count)
        return self.head(self.t(self.embed(ids) + angles.sin(), mask=mask, is_causal=True))


@kind("sequences")
class AttentionAlone(nn.Module):
    """`nn.MultiheadAttention`, whose output projection is never called."""

    def __init__(self):
        super().__init__()
        self.a, self.n = nn.MultiheadAttention(8, 2, batch_first=True), nn.LayerNorm(8)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.fc(self.n(x + self.a(x, x, x, need_weights=False)[0]).mean(1))


@kind("sequences")
class AttentionAcross(nn.Module):
    """Keys and values of other widths have separate projections; attention weights are returned."""

    def __init__(self):
        super().__init__()
        self.key, self.value = nn.Linear(8, 6), nn.Linear(8, 4)
        self.a = nn.MultiheadAttention(8, 2, kdim=6, vdim=4, batch_first=True, add_bias_kv=True)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        mixed, weights = self.a(x, self.key(x), self.value(x))
        return self.fc((mixed * weights.amax(-1, keepdim=True)).sum(1))


@kind("pair")
class EncoderDecoder(nn.Module):
    """`nn.Transformer` from one sequence to another."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 8), nn.Linear(4, 8)
        self.t = nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=True)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, left, right):
        left, right = left.view(-1, 2, 4), right.view(-1, 2, 4)
        return self.fc(self.t(self.left(left), self.right(right)).mean(1))


@kind("sequences")
class FusedProduct(nn.Module):
    """`F.scaled_dot_product_attention` on one projection for queries, keys and values."""

    def __init__(self):
        super().__init__()
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, 2, 4).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.fc(x + self.proj(y.transpose(1, 2).reshape(b, t, 8))).mean(1)


@kind("sequences")
class LinearBiases(nn.Module):
    """Attention with linear biases, computed in forward from float32 numbers."""

    def __init__(self):
        super().__init__()
        self.qkv, self.fc = nn.Linear(8, 24, bias=False), nn.Linear(8, CLASSES)

    def forward(self, x):
        q, k, v = (one.unflatten(-1, (2, 4)).transpose(1, 2) for one in self.qkv(x).chunk(3, -1))
        places = torch.arange(x.shape[1])
        slopes = torch.tensor([0.5, 0.25]).view(2, 1, 1)
        bias = -slopes * (places[:, None] - places).abs().float()
        y = (q @ k.transpose(-1, -2) / 2 + bias).softmax(-1, dtype=torch.float32) @ v
        return self.fc(y.transpose(1, 2).flatten(2)).mean(1)


class RMSNorm(nn.Module):
    """The norm of Llama, which always computes in float32."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        wide = x.to(torch.float32)
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * wide.to(x.dtype)


@kind("sequences")
class LlamaBlock(nn.Module):
    """Norms in float32, rotary positions computed in forward, gated layers."""

    def __init__(self):
        super().__init__()
        self.n1, self.n2 = RMSNorm(8), RMSNorm(8)
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8, bias=False) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(8, 12), nn.Linear(8, 12), nn.Linear(12, 8)
        self.fc = nn.Linear(8, CLASSES)

    def turned(self, x):
        angles = torch.arange(x.shape[1]).float()[:, None] * torch.tensor([1.0, 0.1, 0.01, 0.001])
        angles = torch.cat([angles, angles], -1)
        one, two = x.chunk(2, -1)
        return x * angles.cos() + torch.cat([-two, one], -1) * angles.sin()

    def forward(self, x):
        h = self.n1(x)
        scores = self.turned(self.q(h)) @ self.turned(self.k(h)).transpose(1, 2) / math.sqrt(8)
        scores = scores + torch.full((6, 6), float("-inf")).triu(1)
        x = x + self.o(scores.softmax(-1) @ self.v(h))
        h = self.n2(x)
        return self.fc(x + self.down(F.silu(self.gate(h)) * self.up(h)))[:, -1]


@kind("sequences")
class EyeInForward(nn.Module):
    """A graph network: forward computes the neighbors and adds `torch.eye`."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)

    def forward(self, x):
        near = torch.eye(6) + torch.ones(5).diag(1) + torch.ones(5).diag(-1)
        near = near / near.sum(1, keepdim=True)
        return self.two(near @ F.relu(self.one(near @ x))).mean(1)
