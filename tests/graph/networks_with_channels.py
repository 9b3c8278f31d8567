"""Small networks for channel pruning, one for each way in which channels are coupled.

Each entry of `NETWORKS` builds a module. `SHAPES` has its input shape; the default is an [8, 8]
image with 3 channels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

IMAGE = (3, 8, 8)


class Head(nn.Module):
    """The mean over positions, then a linear layer for five classes."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(inputs.flatten(2).mean(2))


class InvertedResidual(nn.Module):
    """A block of MobileNetV2."""

    def __init__(self, channels: int, wide: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False), nn.BatchNorm2d(wide),
            nn.ReLU6(), nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.body(inputs)


class Squeeze(nn.Module):
    """A block of EfficientNet: a depthwise convolution, then squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deep = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm, self.act = nn.BatchNorm2d(channels), nn.SiLU()
        self.less, self.more = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.act(self.norm(self.deep(inputs)))
        gate = self.more(self.act(self.less(hidden.mean((2, 3), keepdim=True))))
        return inputs + hidden * gate.sigmoid()


class ConvNeXt(nn.Module):
    """A block of ConvNeXt, with channels-last layer norm and a scale near 0."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deep = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.up, self.down = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(1e-6 * torch.ones(channels))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.norm(self.deep(inputs).permute(0, 2, 3, 1))
        hidden = self.scale * self.down(functional.gelu(self.up(hidden)))
        return inputs + hidden.permute(0, 3, 1, 2)


class GroupNormBlock(nn.Module):
    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = (
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(groups, channels),
        )
        self.conv2, self.norm2 = (
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(groups, channels),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.norm1(self.conv1(inputs)).relu()
        return (inputs + self.norm2(self.conv2(hidden))).relu()


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, 2, padding=1)
        self.up = nn.ConvTranspose2d(12, 6, 2, 2)
        self.norm = nn.BatchNorm2d(6)
        self.last, self.out = nn.Conv2d(14, 10, 3, padding=1), nn.Conv2d(10, 2, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        first = self.one(inputs).relu()
        up = self.norm(self.up(self.two(first).relu()))
        return self.out(self.last(torch.cat([first, up], 1)).relu()).mean((2, 3))


class Dense(nn.Module):
    """A block of DenseNet: norm, activation, convolution, concatenated with all earlier outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(8 + 4 * n) for n in range(3))
        self.convs = nn.ModuleList(nn.Conv2d(8 + 4 * n, 4, 3, padding=1) for n in range(3))
        self.head = Head(20)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.stem(inputs)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            hidden = torch.cat([hidden, conv(norm(hidden).relu())], 1)
        return self.head(hidden)


class Shuffle(nn.Module):
    """A unit of ShuffleNet."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.inner = nn.Conv2d(3, 8, 1), nn.Conv2d(4, 4, 3, padding=1)
        self.head = Head(8)

    def forward(self, inputs: Tensor) -> Tensor:
        left, right = self.stem(inputs).chunk(2, 1)
        both = torch.cat([left, self.inner(right).relu()], 1)
        n, c, h, w = both.shape
        return self.head(both.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w))


class Twice(nn.Module):
    """A layer that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.same, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding=1), Head(8)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.same(self.same(self.stem(inputs)).relu()).relu())


class Heads(nn.Module):
    """Self-attention with a manual split into heads."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.out, self.head = nn.Linear(8, 24), nn.Linear(8, 8), nn.Linear(8, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        n, t, _ = inputs.shape
        query, key, value = self.mix(inputs).view(n, t, 3, 2, 4).permute(2, 0, 3, 1, 4)
        hidden = functional.scaled_dot_product_attention(query, key, value)
        return self.head(self.out(hidden.transpose(1, 2).reshape(n, t, 8)).relu().mean(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.into, self.gru, self.out = (
            nn.Linear(8, 6),
            nn.GRU(6, 7, batch_first=True),
            nn.Linear(7, 5),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return self.out(self.gru(self.into(inputs).relu())[0][:, -1])


class Fixed(nn.Module):
    """A hard-coded number of channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8 * 64, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(self.conv(inputs).relu().reshape(-1, 512))


class Reads(nn.Module):
    """Use of a layer's weight without calling the layer."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.out = nn.Linear(8, 6), nn.Linear(6, 6), nn.Linear(6, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.one(inputs.mean(1)).relu()
        return self.out(functional.linear(hidden, self.two.weight).relu())


class Sums(nn.Module):
    """Addition of channels to the outputs, which couples them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 1), Head(8)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.conv(inputs).relu()
        return self.head(hidden) + hidden[:, 1:].sum((1, 2, 3)).unsqueeze(1)


class Rotary(nn.Module):
    """Rotary embeddings: slices that are concatenated in reverse order, as in language models."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(8, 8) for _ in range(3))
        self.up, self.out = nn.Linear(8, 12), nn.Linear(12, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        query, key = self.query(inputs), self.key(inputs)
        query, key = (torch.cat([-x[..., 4:], x[..., :4]], -1) + x for x in (query, key))
        hidden = (query @ key.transpose(1, 2)).softmax(-1) @ self.value(inputs)
        return self.out(self.up(hidden).relu().mean(1))


class CustomNorm(nn.Module):
    """A custom root mean square norm, as in language models."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * torch.rsqrt(inputs.square().mean(-1, keepdim=True) + 1e-6) * self.scale


def tcn(norm: Callable[[nn.Module], nn.Module]) -> nn.Module:
    return nn.Sequential(
        norm(nn.Conv1d(3, 8, 3)), nn.ReLU(), norm(nn.Conv1d(8, 8, 3)), nn.ReLU(), Head(8)
    )


def rnet() -> nn.Module:
    """A smaller version of the second network of MTCNN."""
    return nn.Sequential(
        nn.Conv2d(3, 7, 3), nn.PReLU(7), nn.MaxPool2d(2), nn.Conv2d(7, 12, 2), nn.PReLU(12),
        nn.Flatten(), nn.Linear(48, 10), nn.PReLU(10), nn.Linear(10, 5),
    )  # fmt: skip


def generator(norm: type[nn.Module] = nn.BatchNorm2d, **options: object) -> nn.Module:
    """A DCGAN generator: from 6 numbers to images."""
    return nn.Sequential(
        nn.ConvTranspose2d(6, 16, 4, bias=False), norm(16, **options), nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), norm(8, **options), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh(), nn.Flatten(),
    )  # fmt: skip


def chain(*layers: nn.Module, kind: type[nn.Module] = nn.Conv2d, channels: int = 8) -> nn.Module:
    return nn.Sequential(
        kind(3, channels, 3, padding=1), *layers, nn.ReLU(), kind(channels, 4, 3), Head(4)
    )


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mobilenet": lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        InvertedResidual(8, 24),
        InvertedResidual(8, 16),
        Head(8),
    ),
    "efficientnet": lambda: nn.Sequential(nn.Conv2d(3, 8, 3), Squeeze(8), Head(8)),
    "convnext": lambda: nn.Sequential(nn.Conv2d(3, 8, 2, 2), ConvNeXt(8), ConvNeXt(8), Head(8)),
    "group norm": lambda: nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.GroupNorm(4, 16), GroupNormBlock(16, 4), Head(16)
    ),
    "group norms of two sizes": lambda: nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.GroupNorm(4, 16), nn.ReLU(), nn.GroupNorm(2, 16), Head(16)
    ),
    "norm of each": lambda: chain(nn.GroupNorm(8, 8)),
    "norm of all": lambda: chain(nn.GroupNorm(1, 8)),
    "instance norm": lambda: chain(nn.InstanceNorm2d(8, affine=True)),
    "instance norm that tracks": lambda: chain(
        nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
    ),
    "instance norm alone": lambda: chain(nn.InstanceNorm2d(8)),
    "batch norm alone": lambda: chain(nn.BatchNorm2d(8, affine=False)),
    "layer norm": lambda: nn.Sequential(
        nn.Linear(8, 12), nn.LayerNorm(12), nn.GELU(), nn.Linear(12, 5)
    ),
    "root mean square norm": lambda: nn.Sequential(
        nn.Linear(8, 12), nn.RMSNorm(12), nn.Linear(12, 5)
    ),
    "custom norm": lambda: nn.Sequential(nn.Linear(8, 12), CustomNorm(12), nn.Linear(12, 5)),
    "prelu": rnet,
    "one prelu": lambda: chain(nn.PReLU()),
    "grouped": lambda: chain(nn.Conv2d(8, 16, 3, padding=1, groups=4), nn.Conv2d(16, 8, 1)),
    "resnext": lambda: chain(
        nn.BatchNorm2d(16), nn.Conv2d(16, 16, 3, groups=4), nn.BatchNorm2d(16), channels=16
    ),
    "unet": UNet,
    "generator": generator,
    "transposed 1": lambda: chain(nn.BatchNorm1d(8), kind=nn.ConvTranspose1d),
    "transposed 3": lambda: chain(nn.BatchNorm3d(8), kind=nn.ConvTranspose3d),
    "transposed in groups": lambda: chain(
        nn.ConvTranspose2d(8, 8, 3, groups=2), kind=nn.ConvTranspose2d
    ),
    "transposed depthwise": lambda: chain(nn.ConvTranspose2d(8, 8, 3, groups=8)),
    "solid": lambda: chain(nn.Conv3d(8, 8, 3, padding=1, groups=8), kind=nn.Conv3d),
    "densenet": Dense,
    "a layer twice": Twice,
    "pixel shuffle": lambda: nn.Sequential(
        nn.Conv2d(3, 16, 1), nn.PixelShuffle(2), nn.Conv2d(4, 6, 1), nn.ReLU(), Head(6)
    ),
    "shuffle": Shuffle,
    "sums": Sums,
    "rotary": Rotary,
    "heads": Heads,
    "attention": lambda: nn.Sequential(
        nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), nn.Flatten(), nn.Linear(48, 5)
    ),
    "recurrent": Recurrent,
    "weight norm": lambda: tcn(parametrizations.weight_norm),
    "old weight norm": lambda: tcn(nn.utils.weight_norm),
    "hard-coded size": Fixed,
    "weight used without its layer": Reads,
    "several in, one out": lambda: chain(nn.Conv2d(8, 16, 1, groups=8), nn.Conv2d(16, 8, 1)),
    "layer norm over places": lambda: chain(nn.LayerNorm((8, 8, 8))),
    "layer norm alone": lambda: nn.Sequential(
        nn.Linear(8, 12), nn.LayerNorm(12, elementwise_affine=False), nn.Linear(12, 5)
    ),
    "softmax over channels": lambda: chain(nn.Softmax(1)),
}

SHAPES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        ("layer norm", "root mean square norm", "custom norm", "layer norm alone"), (8,)
    ),
    **dict.fromkeys(
        ("heads", "rotary", "attention", "recurrent", "weight used without its layer"), (6, 8)
    ),
    **dict.fromkeys(("transposed 1", "weight norm", "old weight norm"), (3, 8)),
    **dict.fromkeys(("transposed 3", "solid"), (3, 4, 4, 4)),
    "generator": (6, 1, 1),
}


UNPRUNED: dict[str, dict[str, str]] = {
    "sums": {"conv.weight": "the outputs of the network"},
    "rotary": {"query.weight": "cannot be followed", "value.weight": "cannot be followed"},
    "pixel shuffle": {"0.weight": "next layers (PixelShuffle)"},
    "shuffle": {"stem.weight": "Split", "inner.weight": "Conv2d: RuntimeError"},
    "heads": {"mix.weight": "next layers (View, Unbind, "},
    "attention": {
        "0.self_attn.in_proj_weight": "of MultiheadAttention",
        "0.self_attn.out_proj.weight": "of MultiheadAttention",
        "0.linear2.weight": "of MultiheadAttention",
    },
    "recurrent": {"into.weight": "cannot trace", "gru.weight_ih_l0": "of GRU"},
    "weight norm": {"0.parametrizations.weight.original1": "ParametrizedConv1d"},
    "old weight norm": {"0.weight_v": "Conv1d (its weight is computed from others)"},
    "hard-coded size": {"conv.weight": "View; Fixed: RuntimeError: shape '[-1, 512]' is invalid"},
    "weight used without its layer": {
        "one.weight": "fails",
        "two.weight": "does not call this layer",
    },
    "several in, one out": {"0.weight": "Conv2d (8 groups)"},
    "layer norm over places": {"0.weight": "of LayerNorm"},
    "layer norm alone": {"0.weight": "of LayerNorm"},
    "softmax over channels": {"0.weight": "next layers (Softmax)"},
}
"""Layers that keep their channels, and a part of the reported reason."""

NORMS_OVER_CHANNELS = (
    "convnext", "group norm", "group norms of two sizes", "norm of all", "layer norm",
    "root mean square norm", "custom norm",
)  # fmt: skip
"""Networks with norms that average over several channels, including removed ones."""


def network(name: str) -> nn.Module:
    """Return the network in eval mode, with non-trivial weights and statistics."""
    torch.manual_seed(0)
    module = NETWORKS[name]().eval()
    with torch.no_grad():
        for part, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.add_(0.3 * torch.randn_like(tensor))
            if part.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return module


def inputs(name: str, examples: int = 3) -> Tensor:
    """Return random inputs of the network."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(examples, *SHAPES.get(name, IMAGE), generator=generator)
