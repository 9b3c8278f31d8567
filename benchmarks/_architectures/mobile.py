"""Networks with depthwise and grouped convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from _architectures.architecture import Architecture, images
from _architectures.blocks import Channels, Concat, Residual, Scale, Squeeze, classifier, conv
from _architectures.residual import bottleneck, stages


def mobilenet_v1() -> nn.Module:
    """Depthwise, then pointwise convolution (Howard et al. 2017, arXiv 1704.04861)."""
    layers: list[nn.Module] = [conv(3, 32, 3, 2)]
    for inputs, outputs, stride in ((32, 64, 1), (64, 128, 2), (128, 256, 2), (256, 256, 1)):
        layers += [conv(inputs, inputs, 3, stride, inputs), conv(inputs, outputs, 1)]
    return nn.Sequential(*layers, classifier(256))


def inverted(
    inputs: int,
    outputs: int,
    stride: int,
    *,
    times: int = 6,
    size: int = 3,
    act: type[nn.Module] = nn.ReLU6,
    gate: bool = False,
) -> nn.Module:
    """Expand, depthwise convolution, project (Sandler et al. 2018, arXiv 1801.04381)."""
    middle = times * inputs
    body = nn.Sequential(
        conv(inputs, middle, 1, act=act),
        conv(middle, middle, size, stride, middle, act=act),
        Squeeze(middle, middle // 8) if gate else nn.Identity(),
        conv(middle, outputs, 1, act=nn.Identity),
    )
    return Residual(body) if (inputs, stride) == (outputs, 1) else body


def fused(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Expand and convolve in one layer, then project (Tan & Le 2021, arXiv 2104.00298)."""
    middle = 4 * inputs
    body = nn.Sequential(
        conv(inputs, middle, 3, stride, act=nn.SiLU), conv(middle, outputs, 1, act=nn.Identity)
    )
    return Residual(body) if (inputs, stride) == (outputs, 1) else body


SIZES = ((24, 32, 1), (32, 32, 1), (32, 48, 2), (48, 48, 1), (48, 96, 2), (96, 96, 1))


def mobilenet_v2() -> nn.Module:
    """Return a network of inverted residuals."""
    blocks = [inverted(*size) for size in SIZES]
    return nn.Sequential(
        conv(3, 24, 3, 2), *blocks, conv(96, 384, 1, act=nn.ReLU6), classifier(384)
    )


def mobilenet_v3() -> nn.Module:
    """MobileNetV3 with gates and hard swish (Howard et al. 2019, arXiv 1905.02244)."""
    blocks = [inverted(*size, times=4, act=nn.Hardswish, gate=True) for size in SIZES]
    return nn.Sequential(
        conv(3, 24, 3, 2, act=nn.Hardswish),
        *blocks,
        conv(96, 384, 1, act=nn.Hardswish),
        classifier(384, 256),
        nn.Hardswish(),
        nn.Linear(256, 10),
    )


def mnasnet() -> nn.Module:
    """Kernels of size three and five (Tan et al. 2018, arXiv 1807.11626)."""
    blocks = [
        inverted(*size, times=3, size=5 if number % 2 else 3) for number, size in enumerate(SIZES)
    ]
    return nn.Sequential(conv(3, 24, 3, 2), *blocks, conv(96, 384, 1), classifier(384))


def efficientnet() -> nn.Module:
    """Inverted residuals with gates and SiLU (Tan & Le 2019, arXiv 1905.11946)."""
    blocks = [inverted(*size, act=nn.SiLU, gate=True) for size in SIZES]
    return nn.Sequential(
        conv(3, 24, 3, 2, act=nn.SiLU), *blocks, conv(96, 384, 1, act=nn.SiLU), classifier(384)
    )


def efficientnet_v2() -> nn.Module:
    """Return fused blocks first, then inverted ones."""
    first = [fused(*size) for size in SIZES[:4]]
    rest = [inverted(*size, times=4, act=nn.SiLU, gate=True) for size in SIZES[4:]]
    return nn.Sequential(conv(3, 24, 3, 2, act=nn.SiLU), *first, *rest, classifier(96))


class Shuffle(nn.Module):
    """Channel shuffle: interleaves the channels of the groups."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the inputs' shape."""
        n, channels, height, width = inputs.shape
        apart = inputs.view(n, self.groups, channels // self.groups, height, width)
        return apart.transpose(1, 2).reshape(n, channels, height, width)


def shuffled(width: int, groups: int = 4) -> nn.Module:
    """Return grouped pointwise convolutions with a channel shuffle (arXiv 1707.01083)."""
    body = nn.Sequential(
        conv(width, width, 1, groups=groups),
        Shuffle(groups),
        conv(width, width, 3, groups=width, act=nn.Identity),
        conv(width, width, 1, groups=groups, act=nn.Identity),
    )
    return nn.Sequential(Residual(body), nn.ReLU())


def shufflenet_v1() -> nn.Module:
    """Zhang et al. 2017."""
    return nn.Sequential(
        conv(3, 128, 3, 2),
        shuffled(128),
        shuffled(128),
        conv(128, 256, 3, 2),
        shuffled(256),
        classifier(256),
    )


class HalfConvolved(nn.Module):
    """Half of the channels unchanged, the other half convolved (arXiv 1807.11164)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.body = nn.Sequential(
            conv(half, half, 1), conv(half, half, 3, 1, half, nn.Identity), conv(half, half, 1)
        )
        self.shuffle = Shuffle(2)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the inputs' shape."""
        same, other = inputs.chunk(2, dim=1)
        shuffled: Tensor = self.shuffle(torch.cat([same, self.body(other)], dim=1))
        return shuffled


def halved(inputs: int, outputs: int) -> nn.Module:
    """Return both halves at half the size."""
    half = outputs // 2
    straight = nn.Sequential(conv(inputs, inputs, 3, 2, inputs, nn.Identity), conv(inputs, half, 1))
    turned = nn.Sequential(
        conv(inputs, half, 1), conv(half, half, 3, 2, half, nn.Identity), conv(half, half, 1)
    )
    return nn.Sequential(Concat(straight, turned), Shuffle(2))


def shufflenet_v2() -> nn.Module:
    """Return three stages."""
    layers: list[nn.Module] = [conv(3, 48, 3, 2)]
    for inputs, outputs in ((48, 128), (128, 256)):
        layers += [halved(inputs, outputs), HalfConvolved(outputs), HalfConvolved(outputs)]
    return nn.Sequential(*layers, conv(256, 256, 1), classifier(256))


class Ghost(nn.Module):
    """Half of the channels are made from the other half (Han et al. 2019, arXiv 1911.11907)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.primary = conv(inputs, outputs // 2, 1)
        self.cheap = conv(outputs // 2, outputs // 2, 3, 1, outputs // 2)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, outputs, h, w]."""
        first = self.primary(inputs)
        return torch.cat([first, self.cheap(first)], dim=1)


def ghostnet() -> nn.Module:
    """Return residual blocks of two ghosts."""
    layers: list[nn.Module] = [conv(3, 64, 3, 2)]
    for inputs, outputs in ((64, 128), (128, 256)):
        layers += [Residual(nn.Sequential(Ghost(inputs, 4 * inputs), Ghost(4 * inputs, inputs)))]
        layers += [conv(inputs, inputs, 3, 2, inputs), conv(inputs, outputs, 1)]
    return nn.Sequential(*layers, classifier(256))


def separable(inputs: int, outputs: int) -> nn.Module:
    """Depthwise and pointwise convolution with one norm (Chollet 2016, arXiv 1610.02357)."""
    depthwise = nn.Conv2d(inputs, inputs, 3, 1, 1, groups=inputs, bias=False)
    return nn.Sequential(nn.ReLU(), depthwise, conv(inputs, outputs, 1, act=nn.Identity))


def xception() -> nn.Module:
    """Return residual blocks of separable convolutions."""
    layers: list[nn.Module] = [conv(3, 64, 3, 2)]
    for inputs, outputs in ((64, 128), (128, 256)):
        body = nn.Sequential(
            separable(inputs, outputs), separable(outputs, outputs), nn.MaxPool2d(3, 2, 1)
        )
        layers.append(Residual(body, conv(inputs, outputs, 1, 2, act=nn.Identity)))
    return nn.Sequential(*layers, separable(256, 256), nn.ReLU(), classifier(256))


class ResponseNorm(nn.Module):
    """Global response normalization (Woo et al. 2023, arXiv 2301.00808)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, width))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, width))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, h, w, width]."""
        size = inputs.norm(dim=(1, 2), keepdim=True)
        share = size / (size.mean(dim=-1, keepdim=True) + 1e-6)
        return self.gamma * (inputs * share) + self.beta + inputs


def convnext_block(width: int, *, second: bool) -> nn.Module:
    """Depthwise 7 x 7, then two layers on each pixel (Liu et al. 2022, arXiv 2201.03545)."""
    pixels = nn.Sequential(
        nn.LayerNorm(width, eps=1e-6),
        nn.Linear(width, 4 * width),
        nn.GELU(),
        ResponseNorm(4 * width) if second else nn.Identity(),
        nn.Linear(4 * width, width),
        nn.Identity() if second else Scale(width),
    )
    depthwise = nn.Conv2d(width, width, 7, 1, 3, groups=width)
    return Residual(nn.Sequential(depthwise, Channels(pixels)))


def convnext(*, second: bool) -> nn.Module:
    """Return three stages."""
    layers: list[nn.Module] = [nn.Conv2d(3, 48, 2, 2), Channels(nn.LayerNorm(48))]
    for inputs, outputs in ((48, 96), (96, 192)):
        layers += [convnext_block(inputs, second=second), Channels(nn.LayerNorm(inputs))]
        layers.append(nn.Conv2d(inputs, outputs, 2, 2))
    return nn.Sequential(*layers, convnext_block(192, second=second), classifier(192))


def convmixer(width: int = 128) -> nn.Module:
    """Patches, then depthwise and pointwise convolutions (arXiv 2201.09792)."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 4), nn.GELU(), nn.BatchNorm2d(width)]
    for _ in range(4):
        layers += [
            Residual(conv(width, width, 5, groups=width, act=nn.GELU)),
            conv(width, width, 1, act=nn.GELU),
        ]
    return nn.Sequential(*layers, classifier(width))


ARCHITECTURES = [
    Architecture(family, name, build, images())
    for family, name, build in (
        ("MobileNet", "mobilenet v1", mobilenet_v1),
        ("MobileNet", "mobilenet v2", mobilenet_v2),
        ("MobileNet", "mobilenet v3", mobilenet_v3),
        ("MobileNet", "mnasnet", mnasnet),
        ("MobileNet", "ghostnet", ghostnet),
        ("MobileNet", "xception", xception),
        ("EfficientNet", "efficientnet", efficientnet),
        ("EfficientNet", "efficientnet v2", efficientnet_v2),
        ("ShuffleNet", "shufflenet v1", shufflenet_v1),
        ("ShuffleNet", "shufflenet v2", shufflenet_v2),
        ("RegNet", "regnet x", lambda: stages(bottleneck(4, 1), (48, 96, 192))),
        (
            "RegNet",
            "regnet y",
            lambda: stages(bottleneck(4, 1, lambda width: Squeeze(width, 24)), (48, 96, 192)),
        ),
        ("ConvNeXt", "convnext", lambda: convnext(second=False)),
        ("ConvNeXt", "convnext v2", lambda: convnext(second=True)),
        ("ConvNeXt", "convmixer", convmixer),
    )
]
