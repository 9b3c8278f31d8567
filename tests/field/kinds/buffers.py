"""Buffers of every kind, saved or not."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES, WORDS
from tests.field.kind import kind


class Attention(nn.Module):
    """One attention head over six positions of eight features, and a classification head."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(8, 8) for _ in range(3))
        self.out = nn.Linear(8, CLASSES)

    def bias(self, scores):
        return scores

    def forward(self, x):
        scores = self.q(x) @ self.k(x).transpose(1, 2) / 8**0.5
        return self.out(x + self.bias(scores).softmax(-1) @ self.v(x)).mean(1)


@kind("sequences")
class BooleanMask(Attention):
    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.ones(32, 32).tril().bool())

    def bias(self, scores):
        return scores.masked_fill(~self.mask[:6, :6], float("-inf"))


@kind("sequences")
class InfiniteMask(Attention):
    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.full((16, 16), float("-inf")).triu(1))

    def bias(self, scores):
        return scores + self.mask[:6, :6]


@kind("sequences")
class IndexTable(Attention):
    """Relative positions as in Swin: a bias table, and an int64 table of its row indices."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(11, 1))
        places = torch.arange(6)
        self.register_buffer("index", places[:, None] - places + 5)

    def bias(self, scores):
        return scores + self.table[self.index].squeeze(-1)


@kind("sequences")
class UnsignedMask(Attention):
    """The masks of older GPT-2 code: uint8 with four dimensions, and a constant in a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("bias_mask", torch.ones(1, 1, 20, 20, dtype=torch.uint8).tril())
        self.register_buffer("masked_bias", torch.tensor(-1e4))

    def bias(self, scores):
        return torch.where(self.bias_mask[0, :, :6, :6].bool(), scores, self.masked_bias)


@kind("sequences")
class RotaryComplex(Attention):
    """Rotary positions as complex64 numbers, as in the first Llama code."""

    def __init__(self):
        super().__init__()
        angles = torch.outer(torch.arange(40).float(), 10.0 ** -torch.arange(4).float())
        self.register_buffer("rotations", torch.polar(torch.ones_like(angles), angles))

    def turned(self, x):
        pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], 4, 2))
        return torch.view_as_real(pairs * self.rotations[: x.shape[1]]).flatten(2).type_as(x)

    def forward(self, x):
        scores = self.turned(self.q(x)) @ self.turned(self.k(x)).transpose(1, 2)
        return self.out(x + scores.softmax(-1) @ self.v(x)).mean(1)


@kind("sequences")
class RotaryNotSaved(RotaryComplex):
    """Rotary positions from cosines and sines in non-persistent buffers."""

    def __init__(self):
        super().__init__()
        del self.rotations
        angles = torch.outer(torch.arange(40).float(), 10.0 ** -torch.arange(4).float())
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def turned(self, x):
        one, two = x.chunk(2, -1)
        cos, sin = self.cos[: x.shape[1]], self.sin[: x.shape[1]]
        return torch.cat([one * cos - two * sin, one * sin + two * cos], -1)


@kind("points")
class NormalizesInDouble(nn.Module):
    """Means and deviations of the inputs in float64, with more digits than float32 has."""

    def __init__(self):
        super().__init__()
        lot = torch.Generator().manual_seed(1)
        self.register_buffer("mean", torch.randn(8, dtype=torch.float64, generator=lot) / 3)
        self.register_buffer("scale", torch.rand(1, 8, dtype=torch.float64, generator=lot) + 0.5)
        self.body = nn.Sequential(nn.Linear(8, 10), nn.ReLU(), nn.Linear(10, CLASSES))

    def forward(self, x):
        return self.body(((x.double() - self.mean) / self.scale).float())


@kind("points")
class HalfTables(nn.Module):
    """Tables in float16 and bfloat16 that are added in float32."""

    def __init__(self):
        super().__init__()
        lot = torch.Generator().manual_seed(1)
        self.register_buffer("low", torch.randn(4, 10, generator=lot).half())
        self.register_buffer("short", torch.randn(4, 10, generator=lot).bfloat16())
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)

    def forward(self, x):
        shift = (self.low.float() + self.short.float()).sum(0)
        return self.two(torch.tanh(self.one(x) + 0.1 * shift))


@kind("points")
class EveryDtype(nn.Module):
    """Buffers of every dtype, also scalar, empty and three-dimensional."""

    def __init__(self):
        super().__init__()
        for dtype in (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool):
            self.register_buffer(f"of_{str(dtype)[6:]}", torch.tensor([[0, 1], [1, 1]]).to(dtype))
        self.register_buffer("scale", torch.tensor(0.5))
        self.register_buffer("count", torch.tensor(7))
        self.register_buffer("empty", torch.zeros(0, 4))
        self.register_buffer("cube", torch.arange(24.0).view(2, 3, 4) / 24)
        self.register_buffer("nothing", None)
        self.one, self.two = nn.Linear(8, 12), nn.Linear(12, CLASSES)

    def forward(self, x):
        shift = self.cube.sum(0).flatten() * self.scale + self.of_int16.sum() + self.empty.sum()
        return self.two(torch.tanh(self.one(x) + shift / self.count))


@kind("points")
class UnusedNan(nn.Module):
    """An unused buffer with NaN and infinity."""

    def __init__(self):
        super().__init__()
        self.register_buffer("scratch", torch.full((6, 6), float("nan")))
        self.register_buffer("best", torch.tensor(float("-inf")))
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)

    def forward(self, x):
        return self.two(F.relu(self.one(x)))


@kind("next words")
class LargeSinusoids(nn.Module):
    """A saved position table that is far larger than all weights."""

    def __init__(self):
        super().__init__()
        self.embed, self.hidden = nn.Embedding(WORDS, 8), nn.Linear(8, 8)
        self.head = nn.Linear(8, WORDS)
        angles = torch.arange(600)[:, None] * torch.exp(-torch.arange(8) / 2.0)
        self.register_buffer("pe", angles.sin()[None])

    def forward(self, ids):
        x = self.embed(ids) + self.pe[:, : ids.shape[1]]
        return self.head(x + F.gelu(self.hidden(x)))


@kind("points")
class PlainTensors(nn.Module):
    """Tensors as attributes that are not registered: a matrix and a list of vectors."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)
        lot = torch.Generator().manual_seed(1)
        self.mixing = torch.randn(10, 10, generator=lot)
        self.shifts = [torch.randn(10, generator=lot) for _ in range(2)]

    def forward(self, x):
        return self.two(torch.tanh(self.one(x) @ self.mixing + sum(self.shifts)))
