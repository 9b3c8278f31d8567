"""Vision transformers, mixers and pooling networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from _architectures.architecture import Architecture, images
from _architectures.blocks import (
    Attention,
    Channels,
    MeanOf,
    Moved,
    Patches,
    Residual,
    Scale,
    classifier,
    encoder_block,
    mlp,
)

WIDTH, HEADS, TOKENS = 96, 4, 64


class Vit(nn.Module):
    """A class token before the patches, and a distillation token if `taught`.

    Dosovitskiy et al. 2020, arXiv 2010.11929; Touvron et al. 2020, arXiv 2012.12877.
    """

    def __init__(self, *, taught: bool) -> None:
        super().__init__()
        extra = 1 + taught
        self.patches = Patches(WIDTH, 4)
        self.extra = nn.Parameter(torch.zeros(1, extra, WIDTH))
        self.positions = nn.Parameter(torch.zeros(1, TOKENS + extra, WIDTH))
        self.blocks = nn.Sequential(*(encoder_block(WIDTH, HEADS) for _ in range(4)))
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, 10) for _ in range(extra))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the mean of the heads' logits."""
        patches = self.patches(inputs)
        tokens = torch.cat([self.extra.expand(len(patches), -1, -1), patches], dim=1)
        hidden = self.norm(self.blocks(tokens + self.positions))
        votes = [head(hidden[:, at]) for at, head in enumerate(self.heads)]
        return torch.stack(votes).mean(dim=0)


class ClassAttention(nn.Module):
    """Class attention: the class token attends to the patches (arXiv 2103.17239)."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.scale = Scale(WIDTH)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the class token, [n, width]."""
        token = self.token.expand(len(inputs), -1, -1)
        hidden, _weights = self.attention(token, inputs, inputs, need_weights=False)
        return (token + self.scale(hidden)).squeeze(1)


def cait() -> nn.Module:
    """Return blocks with layer scale, and class attention at the end."""
    blocks = [
        Residual(nn.Sequential(nn.LayerNorm(WIDTH), Attention(WIDTH, HEADS), Scale(WIDTH)))
        for _ in range(3)
    ]
    return nn.Sequential(Patches(WIDTH, 4), *blocks, ClassAttention(), nn.Linear(WIDTH, 10))


class Windows(nn.Module):
    """Window attention, optionally shifted by half a window, with a relative position bias.

    Liu et al. 2021, arXiv 2103.14030; without the mask at the image's rim.
    """

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.attention = Attention(width, heads)
        self.table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        places = torch.cartesian_prod(torch.arange(window), torch.arange(window))
        offsets = places.unsqueeze(1) - places + window - 1
        self.register_buffer("offsets", offsets[..., 0] * (2 * window - 1) + offsets[..., 1])
        self.offsets: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, h, w, width]."""
        n, height, _width, channels = inputs.shape
        size, count = self.window, height // self.window
        moved = inputs.roll((-self.shift, -self.shift), (1, 2))
        apart = moved.view(n, count, size, count, size, channels).transpose(2, 3)
        bias = self.table[self.offsets].permute(2, 0, 1)
        hidden = self.attention(apart.reshape(-1, size * size, channels), bias)
        together = hidden.view(n, count, count, size, size, channels).transpose(2, 3)
        return together.reshape(inputs.shape).roll((self.shift, self.shift), (1, 2))


class Merge(nn.Module):
    """Patch merging: four neighbors become one token of twice the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduce = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, h/2, w/2, 2 * width]."""
        even, odd = inputs[:, ::2], inputs[:, 1::2]
        parts = [even[:, :, ::2], odd[:, :, ::2], even[:, :, 1::2], odd[:, :, 1::2]]
        reduced: Tensor = self.reduce(self.norm(torch.cat(parts, dim=-1)))
        return reduced


def swin() -> nn.Module:
    """Return two stages."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 2, 2), Moved(0, 2, 3, 1), nn.LayerNorm(64)]
    for width, heads in ((64, 2), (128, 4)):
        layers += [Merge(width // 2)] if width > 64 else []
        layers += [encoder_block(width, heads, Windows(width, heads, 4, shift)) for shift in (0, 2)]
    return nn.Sequential(*layers, nn.LayerNorm(128), Moved(0, 3, 1, 2), classifier(128))


class Reduced(nn.Module):
    """Keys and values from a downsampled image (Wang et al. 2021, arXiv 2102.12122)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.smaller = nn.Conv2d(width, width, 2, 2)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, tokens, width], tokens being those of a square."""
        n, length, width = inputs.shape
        image = inputs.transpose(1, 2).reshape(n, width, round(length**0.5), -1)
        reduced = self.norm(self.smaller(image).flatten(2).transpose(1, 2))
        hidden: Tensor = self.attention(inputs, reduced, reduced, need_weights=False)[0]
        return hidden


def pvt() -> nn.Module:
    """Return blocks with reduced attention."""
    blocks = [encoder_block(WIDTH, HEADS, Reduced(WIDTH, HEADS)) for _ in range(3)]
    return nn.Sequential(Patches(WIDTH, 4), *blocks, MeanOf(1), nn.Linear(WIDTH, 10))


def mixer_block() -> nn.Module:
    """Mix tokens, then channels (Tolstikhin et al. 2021, arXiv 2105.01601)."""
    tokens = nn.Sequential(Moved(0, 2, 1), mlp(TOKENS, 2 * TOKENS), Moved(0, 2, 1))
    return encoder_block(WIDTH, HEADS, tokens)


def mixer() -> nn.Module:
    """Return four blocks."""
    return nn.Sequential(
        Patches(WIDTH, 4),
        *(mixer_block() for _ in range(4)),
        nn.LayerNorm(WIDTH),
        MeanOf(1),
        nn.Linear(WIDTH, 10),
    )


class Affine(nn.Module):
    """A scale and a shift for every channel, in place of a norm (arXiv 2105.03404)."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(WIDTH))
        self.summand = nn.Parameter(torch.zeros(WIDTH))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the inputs' shape."""
        return inputs * self.factor + self.summand


def resmlp() -> nn.Module:
    """Touvron et al. 2021."""
    layers: list[nn.Module] = [Patches(WIDTH, 4)]
    for _ in range(4):
        tokens = (Moved(0, 2, 1), nn.Linear(TOKENS, TOKENS), Moved(0, 2, 1))
        layers.append(Residual(nn.Sequential(Affine(), *tokens, Scale(WIDTH))))
        layers.append(Residual(nn.Sequential(Affine(), mlp(WIDTH, 4 * WIDTH), Scale(WIDTH))))
    return nn.Sequential(*layers, Affine(), MeanOf(1), nn.Linear(WIDTH, 10))


class Gate(nn.Module):
    """Half of the channels gates the other half over tokens (Liu et al. 2021, 2105.08050)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.over_tokens = nn.Conv1d(TOKENS, TOKENS, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, tokens, width] from twice the width."""
        gate, other = inputs.chunk(2, dim=-1)
        gated: Tensor = gate * self.over_tokens(self.norm(other))
        return gated


def gmlp() -> nn.Module:
    """Return four gated blocks."""
    blocks = [
        Residual(
            nn.Sequential(
                nn.LayerNorm(WIDTH),
                nn.Linear(WIDTH, 4 * WIDTH),
                nn.GELU(),
                Gate(2 * WIDTH),
                nn.Linear(2 * WIDTH, WIDTH),
            )
        )
        for _ in range(4)
    ]
    return nn.Sequential(Patches(WIDTH, 4), *blocks, MeanOf(1), nn.Linear(WIDTH, 10))


class PoolingLess(nn.Module):
    """Pooling as token mixer: mean of the neighbors minus the token (arXiv 2111.11418)."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the inputs' shape."""
        difference: Tensor = self.pool(inputs) - inputs
        return difference


def poolformer() -> nn.Module:
    """Return two stages of pooling blocks."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 4)]
    for width in (64, 128):
        layers += [nn.Conv2d(64, 128, 2, 2)] if width == 128 else []
        for _ in range(2):
            layers.append(Residual(nn.Sequential(nn.GroupNorm(1, width), PoolingLess())))
            pixels = nn.Sequential(mlp(width, 4 * width), Scale(width))
            layers.append(Residual(nn.Sequential(nn.GroupNorm(1, width), Channels(pixels))))
    return nn.Sequential(*layers, nn.GroupNorm(1, 128), classifier(128))


ARCHITECTURES = [
    Architecture(family, name, build, images())
    for family, name, build in (
        ("Vision transformer", "vit", lambda: Vit(taught=False)),
        ("Vision transformer", "deit", lambda: Vit(taught=True)),
        ("Vision transformer", "cait", cait),
        ("Vision transformer", "swin", swin),
        ("Vision transformer", "pvt", pvt),
        ("MLP for images", "mlp-mixer", mixer),
        ("MLP for images", "resmlp", resmlp),
        ("MLP for images", "gmlp", gmlp),
        ("MLP for images", "poolformer", poolformer),
    )
]
