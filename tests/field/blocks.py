"""Shape-preserving building blocks for random compositions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from tests.field.kinds.attention import RMSNorm
from tests.field.kinds.blocks import Conv1D
from tests.field.kinds.published import ConvNeXtBlock, InvertedResidual

MAP, ROW, PLACES = "map", "row", "places"
"""The layouts of a block's inputs: [b, width, height, width], [b, width], [b, places, width]."""


class Block(nn.Module):
    """Named parts (layers, parameters, buffers, constants), and a function that uses them."""

    def __init__(self, run: Callable[[Any, Tensor], Tensor], **parts: Any):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


@dataclass(frozen=True)
class Entry:
    """A block of the table: the layout of its inputs, a factory, and the code of its refusal."""

    takes: str
    make: Callable[[int], nn.Module]
    refused: str = ""


def conv(width: int, size: int = 3, **settings: Any) -> nn.Conv2d:
    """Return a convolution that preserves shapes."""
    return nn.Conv2d(width, width, size, **{"padding": size // 2, **settings})


def weight(*shape: int) -> nn.Parameter:
    """Return a bare parameter that preserves the scale of its inputs in a product."""
    return nn.Parameter(torch.randn(shape) / shape[-1] ** 0.5)


def encoder_layer(width: int, **settings: Any) -> nn.TransformerEncoderLayer:
    """Return PyTorch's encoder layer."""
    return nn.TransformerEncoderLayer(width, 2, 2 * width, 0.0, batch_first=True, **settings)


def squeeze_excite(self: Any, x: Tensor) -> Tensor:
    return x * torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3))))))[:, :, None, None]


def skip_before_norm(self: Any, x: Tensor) -> Tensor:
    x = self.c(x)
    return F.relu(self.b(x)) + 0.5 * x


def shuffle(self: Any, x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    return F.relu(self.c(x)).view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)


def by_view(self: Any, x: Tensor) -> Tensor:
    b, c = x.shape[:2]
    return self.l(F.relu(self.c(x)).view(b, c, -1).transpose(1, 2)).transpose(1, 2).reshape(x.shape)


def strided(self: Any, x: Tensor) -> Tensor:
    x = F.relu(self.c(x))
    return self.m(x.as_strided((len(x), x[0].numel()), (x[0].numel(), 1)).view(x.shape))


def attend(x: Tensor, bias: Tensor | float = 0.0) -> Tensor:
    return (x @ x.transpose(1, 2) / x.shape[-1] ** 0.5 + bias).softmax(-1) @ x


def fused(self: Any, x: Tensor) -> Tensor:
    q, k, v = (x.unflatten(-1, (2, -1)).transpose(1, 2) for x in self.qkv(x).chunk(3, -1))
    return self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def rotary(self: Any, x: Tensor) -> Tensor:
    pairs = torch.view_as_complex(self.l(x).float().reshape(*x.shape[:2], -1, 2))
    return attend(torch.view_as_real(pairs * self.turns[: x.shape[1]]).flatten(2).type_as(x))


def linear_biases(self: Any, x: Tensor) -> Tensor:
    places = torch.arange(x.shape[1]).float()
    return attend(self.l(x), -0.3 * (places[:, None] - places).abs())


def sines(self: Any, x: Tensor) -> Tensor:
    angles = torch.arange(x.shape[1]).float()[:, None] / (1 + torch.arange(x.shape[2]).float())
    return self.l(x + torch.sin(angles))


def first_state(self: Any, x: Tensor) -> Tensor:
    return self.g(x, torch.zeros(1, len(x), x.shape[2]))[0]


def experts(self: Any, x: Tensor) -> Tensor:
    gates, chosen = self.router(x).softmax(1).max(1)
    out = torch.zeros_like(x)
    for number, expert in enumerate(self.experts):
        rows = chosen == number
        out[rows] = expert(x[rows]) * gates[rows, None]
    return out


def in_double(self: Any, x: Tensor) -> Tensor:
    return self.l(((x.double() - self.mean) / self.scale).float())


def in_place(self: Any, x: Tensor) -> Tensor:
    x = self.l(x)
    x += self.shift
    return x.relu_()


def derivative(self: Any, x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(torch.tanh(self.l(x)).sum(), x, create_graph=True)[0]


def counting(self: Any, x: Tensor) -> Tensor:
    self.last = x.detach()
    return F.relu(self.l(x))


BLOCKS: dict[str, Entry] = {
    "convolution": Entry(MAP, lambda w: Block(lambda s, x: F.relu(s.c(x)), c=conv(w))),
    "convolution and norm": Entry(
        MAP, lambda w: nn.Sequential(conv(w, bias=False), nn.BatchNorm2d(w), nn.ReLU(inplace=True))
    ),
    "pre-activation": Entry(
        MAP, lambda w: Block(lambda s, x: x + s.c(F.relu(s.b(x))), b=nn.BatchNorm2d(w), c=conv(w))
    ),
    "skip before the norm": Entry(
        MAP, lambda w: Block(skip_before_norm, c=conv(w), b=nn.BatchNorm2d(w))
    ),
    "norm without parameters": Entry(
        MAP, lambda w: nn.Sequential(conv(w), nn.BatchNorm2d(w, affine=False), nn.Tanh())
    ),
    "group norm": Entry(MAP, lambda w: nn.Sequential(conv(w), nn.GroupNorm(2, w), nn.PReLU(w))),
    "instance norm": Entry(
        MAP, lambda w: nn.Sequential(conv(w), nn.InstanceNorm2d(w, affine=True), nn.GELU())
    ),
    "depthwise": Entry(
        MAP, lambda w: nn.Sequential(conv(w, groups=w), nn.ReLU6(), conv(w, 1), nn.ReLU())
    ),
    "grouped and circular": Entry(
        MAP, lambda w: nn.Sequential(conv(w, groups=2, padding_mode="circular"), nn.LeakyReLU(0.1))
    ),
    "dilated": Entry(
        MAP, lambda w: nn.Sequential(conv(w, dilation=2, padding="same"), nn.Hardswish())
    ),
    "transposed": Entry(
        MAP, lambda w: nn.Sequential(nn.ConvTranspose2d(w, w, 3, padding=1), nn.ReLU())
    ),
    "squeeze and excite": Entry(
        MAP, lambda w: Block(squeeze_excite, down=nn.Linear(w, 2), up=nn.Linear(2, w))
    ),
    "branches": Entry(
        MAP,
        lambda w: Block(
            lambda s, x: torch.cat([s.a(x), s.b(F.max_pool2d(x, 3, 1, 1))], 1),
            a=nn.Conv2d(w, w // 2, 1),
            b=nn.Conv2d(w, w - w // 2, 1),
        ),
    ),
    "dense": Entry(
        MAP,
        lambda w: Block(
            lambda s, x: s.d(torch.cat([x, s.c(F.relu(s.b(x)))], 1)),
            b=nn.BatchNorm2d(w),
            c=nn.Conv2d(w, 4, 3, padding=1),
            d=nn.Conv2d(w + 4, w, 1),
        ),
    ),
    "channel shuffle": Entry(MAP, lambda w: Block(shuffle, c=conv(w, 1, groups=2))),
    "view": Entry(MAP, lambda w: Block(by_view, c=conv(w), l=nn.Linear(w, w))),
    "as strided": Entry(MAP, lambda w: Block(strided, c=conv(w), m=conv(w, 1))),
    "channels last": Entry(
        MAP, lambda w: Block(lambda s, x: s.c(x), c=conv(w)).to(memory_format=torch.channels_last)
    ),
    "weight norm": Entry(
        MAP, lambda w: nn.Sequential(parametrizations.weight_norm(conv(w)), nn.ReLU())
    ),
    "spectral norm": Entry(
        MAP, lambda w: nn.Sequential(parametrizations.spectral_norm(conv(w)), nn.ReLU())
    ),
    "twice": Entry(MAP, lambda w: Block(lambda s, x: F.relu(s.c(F.relu(s.c(x)))), c=conv(w))),
    "inverted residual": Entry(MAP, lambda w: InvertedResidual(w, w, 1, 2)),
    "convnext": Entry(MAP, ConvNeXtBlock),
    "encoder layer": Entry(PLACES, encoder_layer),
    "encoder layer, norm first": Entry(PLACES, lambda w: encoder_layer(w, norm_first=True)),
    "encoder": Entry(PLACES, lambda w: nn.TransformerEncoder(encoder_layer(w), 1)),
    "attention": Entry(
        PLACES,
        lambda w: Block(
            lambda s, x: s.n(x + s.a(x, x, x, need_weights=False)[0]),
            a=nn.MultiheadAttention(w, 2, batch_first=True),
            n=nn.LayerNorm(w),
        ),
    ),
    "fused attention": Entry(
        PLACES, lambda w: Block(fused, qkv=nn.Linear(w, 3 * w), o=nn.Linear(w, w))
    ),
    "linear biases": Entry(PLACES, lambda w: Block(linear_biases, l=nn.Linear(w, w))),
    "rotary": Entry(
        PLACES,
        lambda w: Block(
            rotary,
            l=nn.Linear(w, w),
            turns=torch.polar(
                torch.ones(80, w // 2), torch.arange(80.0)[:, None].expand(80, w // 2)
            ),
        ),
    ),
    "causal mask": Entry(
        PLACES,
        lambda w: Block(
            lambda s, x: attend(s.l(x), s.mask[: x.shape[1], : x.shape[1]]),
            l=nn.Linear(w, w),
            mask=torch.full((80, 80), float("-inf")).triu(1),
        ),
    ),
    "index table": Entry(
        PLACES,
        lambda w: Block(
            lambda s, x: attend(s.l(x), s.table[s.index[: x.shape[1], : x.shape[1]]]),
            l=nn.Linear(w, w),
            table=nn.Parameter(torch.randn(159)),
            index=torch.arange(80)[:, None] - torch.arange(80) + 79,
        ),
    ),
    "sines": Entry(PLACES, lambda w: Block(sines, l=nn.Linear(w, w))),
    "rms norm": Entry(PLACES, lambda w: nn.Sequential(RMSNorm(w), nn.Linear(w, w), nn.SiLU())),
    "first state": Entry(PLACES, lambda w: Block(first_state, g=nn.GRU(w, w, batch_first=True))),
    "both ways": Entry(
        PLACES,
        lambda w: Block(
            lambda s, x: s.g(x)[0], g=nn.LSTM(w, w // 2, bidirectional=True, batch_first=True)
        ),
    ),
    "gpt-2's layer": Entry(
        PLACES,
        lambda w: Block(
            lambda s, x: s.o(F.gelu(s.c(x.contiguous()))), c=Conv1D(2 * w, w), o=Conv1D(w, 2 * w)
        ),
    ),
    "over places": Entry(
        PLACES,
        lambda w: Block(
            lambda s, x: F.relu(s.c(x.transpose(1, 2))).transpose(1, 2),
            c=nn.Conv1d(w, w, 3, padding=1),
        ),
    ),
    "neighbours": Entry(
        PLACES,
        lambda w: Block(
            lambda s, x: F.relu(s.l((torch.eye(x.shape[1]) + 0.1) @ x)), l=nn.Linear(w, w)
        ),
    ),
    "linear": Entry(
        ROW, lambda w: nn.Sequential(nn.Linear(w, 2 * w), nn.ReLU(), nn.Linear(2 * w, w))
    ),
    "linear and norm": Entry(
        ROW, lambda w: nn.Sequential(nn.Linear(w, w), nn.BatchNorm1d(w), nn.Sigmoid())
    ),
    "bare weight": Entry(ROW, lambda w: Block(lambda s, x: torch.tanh(x @ s.w), w=weight(w, w))),
    "read weight": Entry(
        ROW, lambda w: Block(lambda s, x: F.relu(F.linear(x, s.l.weight)), l=nn.Linear(w, w))
    ),
    "einsum": Entry(
        ROW,
        lambda w: Block(
            lambda s, x: torch.einsum("bi,hij->bhj", x, s.w).amax(1), w=weight(2, w, w)
        ),
    ),
    "list of weights": Entry(
        ROW,
        lambda w: Block(
            lambda s, x: torch.tanh(x @ s.ws[0]) @ s.ws[1],
            ws=nn.ParameterList([weight(w, w), weight(w, w)]),
        ),
    ),
    "gated": Entry(ROW, lambda w: nn.Sequential(nn.Linear(w, 2 * w), nn.GLU())),
    "bilinear": Entry(ROW, lambda w: Block(lambda s, x: s.b(x, x.tanh()), b=nn.Bilinear(w, w, w))),
    "experts": Entry(
        ROW,
        lambda w: Block(
            experts,
            router=nn.Linear(w, 3),
            experts=nn.ModuleList(nn.Linear(w, w) for _ in range(3)),
        ),
    ),
    "orthogonal": Entry(
        ROW, lambda w: nn.Sequential(parametrizations.orthogonal(nn.Linear(w, w)), nn.ELU())
    ),
    "float64 statistics": Entry(
        ROW,
        lambda w: Block(
            in_double,
            l=nn.Linear(w, w),
            mean=torch.randn(w, dtype=torch.float64) / 3,
            scale=torch.rand(1, w, dtype=torch.float64) + 0.5,
        ),
    ),
    "float16 table": Entry(
        ROW,
        lambda w: Block(
            lambda s, x: s.l(x + s.t.float().sum(0)), l=nn.Linear(w, w), t=torch.randn(3, w).half()
        ),
    ),
    "unused buffers": Entry(
        ROW,
        lambda w: Block(
            lambda s, x: F.relu(s.l(x)),
            l=nn.Linear(w, w),
            scratch=torch.full((5, 5), float("nan")),
            flags=torch.tensor([[True, False]]),
            calls=torch.tensor(3),
        ),
    ),
    "in place": Entry(
        ROW, lambda w: Block(in_place, l=nn.Linear(w, w), shift=nn.Parameter(torch.rand(w)))
    ),
    "derivative": Entry(ROW, lambda w: Block(derivative, l=nn.Linear(w, w))),
    "keeps its inputs": Entry(ROW, lambda w: Block(counting, l=nn.Linear(w, w), last=None)),
    "unused layer": Entry(
        ROW,
        lambda w: Block(lambda s, x: F.relu(s.l(x)), l=nn.Linear(w, w), rest=nn.Linear(w, 7)),
    ),
}
"""Blocks that must be accepted at any position."""

FLAWS: dict[str, Entry] = {
    "mean of the batch": Entry(
        ROW, lambda w: Block(lambda s, x: x - x.mean(0)), "module.batch_dependent"
    ),
    "norm of the batch": Entry(
        MAP,
        lambda w: nn.BatchNorm2d(w, track_running_stats=False),
        "module.batch_dependent",
    ),
    "dropout in eval": Entry(
        ROW,
        lambda w: Block(lambda s, x: F.dropout(x, 0.3, training=True)),
        "module.not_deterministic",
    ),
    "noise": Entry(
        ROW,
        lambda w: Block(lambda s, x: x + 0.3 * torch.rand_like(x)),
        "module.not_deterministic",
    ),
    "complex weight": Entry(
        ROW,
        lambda w: Block(
            lambda s, x: torch.fft.irfft(torch.fft.rfft(x) * s.p, x.shape[1]),
            p=nn.Parameter(torch.randn(w // 2 + 1, dtype=torch.complex64)),
        ),
        "module.complex_weights",
    ),
}
"""Blocks with which a module must be refused, with the code of the error."""
