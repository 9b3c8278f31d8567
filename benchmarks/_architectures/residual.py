"""Networks with residual and dense connections."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from _architectures.architecture import Architecture, images
from _architectures.blocks import Concat, Residual, Squeeze, classifier, conv

Block = Callable[[int, int, int], nn.Module]
"""Builds a block from input channels, output channels and stride."""


def stages(block: Block, widths: tuple[int, ...], depth: int = 2) -> nn.Sequential:
    """Return a stem, `depth` blocks for each width at half the size of the last, and a head."""
    layers: list[nn.Module] = [conv(3, widths[0])]
    before = widths[0]
    for number, width in enumerate(widths):
        for place in range(depth):
            layers.append(block(before, width, 2 if number and not place else 1))
            before = width
    return nn.Sequential(*layers, classifier(before))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    """Return a projection to the shape of the outputs, or the identity if they are equal."""
    if (inputs, stride) == (outputs, 1):
        return None
    return conv(inputs, outputs, 1, stride, act=nn.Identity)


def basic(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Two convolutions (He et al. 2015, arXiv 1512.03385)."""
    body = [conv(inputs, outputs, stride=stride), conv(outputs, outputs, act=nn.Identity)]
    return nn.Sequential(
        Residual(nn.Sequential(*body), shortcut(inputs, outputs, stride)), nn.ReLU()
    )


def bottleneck(
    groups: int = 1, narrow: int = 4, gate: Callable[[int], nn.Module] | None = None
) -> Block:
    """Three convolutions, the middle one narrow or grouped (arXiv 1512.03385, 1611.05431)."""

    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        middle = outputs // narrow
        body = [
            conv(inputs, middle, 1),
            conv(middle, middle, 3, stride, groups),
            conv(middle, outputs, 1, act=nn.Identity),
            *([gate(outputs)] if gate else []),
        ]
        return nn.Sequential(
            Residual(nn.Sequential(*body), shortcut(inputs, outputs, stride)), nn.ReLU()
        )

    return block


def pre_activated(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Return a pre-activation block (arXiv 1603.05027)."""
    body = nn.Sequential(
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
    )
    return Residual(body, shortcut(inputs, outputs, stride))


def dark(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Return a block of Darknet-53 (Redmon & Farhadi 2018, arXiv 1804.02767)."""
    body = nn.Sequential(
        conv(outputs, outputs // 2, 1, act=nn.LeakyReLU), conv(outputs // 2, outputs)
    )
    before = conv(inputs, outputs, stride=stride) if inputs != outputs else nn.Identity()
    return nn.Sequential(before, Residual(body))


def densenet(growth: int = 24, depth: int = 4) -> nn.Module:
    """Every layer gets the outputs of all earlier layers (Huang et al. 2016, arXiv 1608.06993)."""
    width = 48
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1, bias=False)]
    for stage in range(3):
        for _ in range(depth):
            new = nn.Sequential(
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Conv2d(width, 4 * growth, 1, bias=False),
                nn.BatchNorm2d(4 * growth),
                nn.ReLU(),
                nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False),
            )
            layers.append(Concat(nn.Identity(), new))
            width += growth
        if stage < 2:
            layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width // 2, 1)]
            layers.append(nn.AvgPool2d(2))
            width //= 2
    return nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU(), classifier(width))


class SplitScales(nn.Module):
    """Four quarters of the channels, each convolved with the output of the previous one.

    Res2Net (Gao et al. 2019, arXiv 1904.01169).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(conv(width // 4, width // 4) for _ in range(3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return a tensor of the inputs' shape."""
        first, *rest = inputs.chunk(4, dim=1)
        outputs = [first]
        for part, convolution in zip(rest, self.convolutions, strict=True):
            outputs.append(convolution(part if len(outputs) == 1 else part + outputs[-1]))
        return torch.cat(outputs, dim=1)


def res2net(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Return a bottleneck with a multi-scale middle convolution."""
    middle = outputs // 2
    body = [
        conv(inputs, middle, 1, stride),
        SplitScales(middle),
        conv(middle, outputs, 1, act=nn.Identity),
    ]
    return nn.Sequential(
        Residual(nn.Sequential(*body), shortcut(inputs, outputs, stride)), nn.ReLU()
    )


WIDTHS = (32, 64, 128)
WIDE = (128, 256, 512)

ARCHITECTURES = [
    Architecture(family, name, build, images())
    for family, name, build in (
        ("ResNet", "resnet, two convolutions", lambda: stages(basic, WIDTHS)),
        ("ResNet", "resnet, bottleneck", lambda: stages(bottleneck(), WIDE)),
        ("ResNet", "resnet, activation first", lambda: stages(pre_activated, WIDTHS)),
        ("ResNet", "wide resnet", lambda: stages(basic, (64, 128, 256), 1)),
        ("ResNet", "resnext", lambda: stages(bottleneck(8, 2), WIDE)),
        (
            "ResNet",
            "se-resnet",
            lambda: stages(bottleneck(1, 4, lambda width: Squeeze(width, width // 16)), WIDE),
        ),
        ("ResNet", "res2net", lambda: stages(res2net, WIDE, 1)),
        ("ResNet", "darknet-53", lambda: stages(dark, WIDTHS)),
        ("DenseNet", "densenet", densenet),
    )
]
