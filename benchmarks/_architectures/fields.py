"""Networks that output images, volumes or fields, and networks for points and tables."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from _architectures.architecture import Architecture, Inputs, floats, images
from _architectures.blocks import Concat, conv


class UNet(nn.Module):
    """A U-Net with skip connections (Ronneberger et al. 2015, arXiv 1505.04597)."""

    def __init__(self, channels: int, dimensions: int) -> None:
        super().__init__()
        kinds = {2: (nn.Conv2d, nn.ConvTranspose2d), 3: (nn.Conv3d, nn.ConvTranspose3d)}
        self.convolution, self.transposed = kinds[dimensions]
        self.pool = {2: nn.MaxPool2d, 3: nn.MaxPool3d}[dimensions](2)
        widths = (channels, 2 * channels, 4 * channels)
        self.down = nn.ModuleList(
            self.pair(before, after) for before, after in zip((1, *widths), widths, strict=False)
        )
        self.up = nn.ModuleList(self.transposed(2 * w, w, 2, 2) for w in widths[:2])
        self.join = nn.ModuleList(self.pair(2 * w, w) for w in widths[:2])
        self.last = self.convolution(channels, 2, 1)

    def pair(self, inputs: int, outputs: int) -> nn.Module:
        """Return two convolutions."""
        return nn.Sequential(
            self.convolution(inputs, outputs, 3, 1, 1),
            nn.ReLU(),
            self.convolution(outputs, outputs, 3, 1, 1),
            nn.ReLU(),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return two classes for each pixel."""
        first = self.down[0](inputs)
        second = self.down[1](self.pool(first))
        third = self.down[2](self.pool(second))
        back = self.join[1](torch.cat([self.up[1](third), second], dim=1))
        back = self.join[0](torch.cat([self.up[0](back), first], dim=1))
        classes: Tensor = self.last(back)
        return classes


class Fcn(nn.Module):
    """Per-pixel classes from two depths (Long et al. 2014, arXiv 1411.4038)."""

    def __init__(self) -> None:
        super().__init__()
        self.early = nn.Sequential(conv(3, 64, 3, 2), conv(64, 128, 3, 2))
        self.late = conv(128, 256, 3, 2)
        self.score_early = nn.Conv2d(128, 5, 1)
        self.score_late = nn.Conv2d(256, 5, 1)
        self.grow = nn.ConvTranspose2d(5, 5, 4, 2, 1, groups=5, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return five classes for each pixel."""
        early = self.early(inputs)
        scores = self.score_early(early) + self.grow(self.score_late(self.late(early)))
        return nn.functional.interpolate(scores, scale_factor=4.0, mode="bilinear")


def dilated(inputs: int, outputs: int, spread: int) -> nn.Module:
    """Return a dilated convolution."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, 1, spread, spread, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def deeplab() -> nn.Module:
    """Dilated convolutions with several rates (Chen et al. 2017, arXiv 1706.05587)."""
    return nn.Sequential(
        conv(3, 64, 3, 2),
        conv(64, 128, 3, 2),
        Concat(conv(128, 64, 1), *(dilated(128, 64, spread) for spread in (2, 4))),
        conv(192, 64, 1),
        nn.Conv2d(64, 5, 1),
    )


class Pyramid(nn.Module):
    """A feature pyramid with a top-down path (arXiv 1612.03144)."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.ModuleList((conv(3, 64, 3, 2), conv(64, 128, 3, 2), conv(128, 192, 3, 2)))
        self.across = nn.ModuleList(nn.Conv2d(width, 64, 1) for width in (64, 128, 192))
        self.head = nn.Conv2d(64, 9, 3, 1, 1)

    def forward(self, inputs: Tensor) -> list[Tensor]:
        """Return nine numbers for each position, for three sizes."""
        features = []
        for step in self.steps:
            inputs = step(inputs)
            features.append(inputs)
        above = self.across[2](features[2])
        outputs = [self.head(above)]
        for level in (1, 0):
            grown = nn.functional.interpolate(above, scale_factor=2.0)
            above = self.across[level](features[level]) + grown
            outputs.append(self.head(above))
        return outputs


def autoencoder() -> nn.Module:
    """Return a convolutional autoencoder."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4096, 32),
        nn.Linear(32, 4096),
        nn.Unflatten(1, (64, 8, 8)),
        nn.ConvTranspose2d(64, 32, 3, 2, 1, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, 2, 1, 1),
    )


class Variational(nn.Module):
    """A variational autoencoder (arXiv 1312.6114)."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(784, 256), nn.ReLU())
        self.mean, self.spread = nn.Linear(256, 16), nn.Linear(256, 16)
        self.decode = nn.Sequential(nn.Linear(16, 256), nn.ReLU(), nn.Linear(256, 784))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return image, mean and log variance."""
        hidden = self.encode(inputs)
        mean = self.mean(hidden)
        return self.decode(mean), mean, self.spread(hidden)


def generator() -> nn.Module:
    """From noise to images (Radford et al. 2015, arXiv 1511.06434)."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride, padding in ((64, 128, 1, 0), (128, 64, 2, 1), (64, 32, 2, 1)):
        layers += [
            nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh())


def super_resolution() -> nn.Module:
    """Pixel shuffle: channels become pixels (Shi et al. 2016, arXiv 1609.05158)."""
    return nn.Sequential(
        nn.Conv2d(1, 64, 5, 1, 2),
        nn.Tanh(),
        nn.Conv2d(64, 64, 3, 1, 1),
        nn.Tanh(),
        nn.Conv2d(64, 9, 3, 1, 1),
        nn.PixelShuffle(3),
    )


def c3d() -> nn.Module:
    """Convolutions over space and time (Tran et al. 2014, arXiv 1412.0767)."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 96)):
        layers += [nn.Conv3d(inputs, outputs, 3, 1, 1), nn.BatchNorm3d(outputs), nn.ReLU()]
        layers.append(nn.MaxPool3d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(96, 10))


def r2plus1d() -> nn.Module:
    """Convolutions over space, then over time (Tran et al. 2017, arXiv 1711.11248)."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 64), (64, 96)):
        layers += [nn.Conv3d(inputs, outputs, (1, 3, 3), (1, 2, 2), (0, 1, 1)), nn.ReLU()]
        layers += [nn.Conv3d(outputs, outputs, (3, 1, 1), (2, 1, 1), (1, 0, 0)), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(96, 10))


def pointnet() -> nn.Module:
    """Per-point layers and a max over the points (Qi et al. 2016, arXiv 1612.00593)."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 64), (64, 128), (128, 256)):
        layers += [nn.Conv1d(inputs, outputs, 1), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(
        *layers,
        nn.AdaptiveMaxPool1d(1),
        nn.Flatten(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


class Graph(nn.Module):
    """Each node gets the mean of its neighbors (Kipf & Welling 2016, arXiv 1609.02907)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList((nn.Linear(64, 128), nn.Linear(128, 128), nn.Linear(128, 7)))

    def forward(self, nodes: Tensor, links: Tensor) -> Tensor:
        """Return [nodes, 7]; `links` are the weights of the neighbors, [nodes, nodes]."""
        for layer in self.layers[:-1]:
            nodes = (links @ layer(nodes)).relu()
        classes: Tensor = links @ self.layers[-1](nodes)
        return classes


def graph(rng: torch.Generator) -> Inputs:
    """Return nodes and their links."""
    links = (torch.rand(20, 20, generator=rng) < 0.2).float() + torch.eye(20)
    return torch.randn(20, 64, generator=rng), links / links.sum(dim=1, keepdim=True)


class Radiance(nn.Module):
    """Color and density of a point from its encoding (Mildenhall et al. 2020, arXiv 2003.08934)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", 2.0 ** torch.arange(8))
        self.frequencies: Tensor
        self.first = nn.Sequential(nn.Linear(48, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.again = nn.Sequential(nn.Linear(176, 128), nn.ReLU(), nn.Linear(128, 4))

    def forward(self, places: Tensor) -> Tensor:
        """Return [n, 4]."""
        angles = (places.unsqueeze(-1) * self.frequencies).flatten(1)
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)
        outputs: Tensor = self.again(torch.cat([self.first(waves), waves], dim=1))
        return outputs


class WideAndDeep(nn.Module):
    """Wide and deep: numbers and categories (Cheng et al. 2016, arXiv 1606.07792)."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, 32) for size in (2000, 500, 50))
        self.wide = nn.Linear(16, 1)
        self.deep = nn.Sequential(nn.Linear(112, 128), nn.ReLU(), nn.Linear(128, 1))

    def forward(self, numbers: Tensor, names: Tensor) -> Tensor:
        """Return [n, 1]."""
        outputs = [table(names[:, at]) for at, table in enumerate(self.tables)]
        deep: Tensor = self.deep(torch.cat([numbers, *outputs], dim=1))
        return deep + self.wide(numbers)


def table(rng: torch.Generator) -> Inputs:
    """Draw numbers and categories."""
    return torch.randn(4, 16, generator=rng), torch.randint(0, 50, (4, 3), generator=rng)


class Experts(nn.Module):
    """A gate routes each row to two experts (arXiv 1701.06538)."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(64, 4, bias=False)
        self.into = nn.Parameter(torch.zeros(4, 64, 128))
        self.out = nn.Parameter(torch.zeros(4, 128, 10))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, 10]."""
        share, chosen = self.gate(inputs).softmax(dim=-1).topk(2, dim=-1)
        hidden = torch.einsum("ni,nkih->nkh", inputs, self.into[chosen]).relu()
        return torch.einsum("nkh,nkho,nk->no", hidden, self.out[chosen], share)


ARCHITECTURES = [
    Architecture(family, name, build, draw)
    for family, name, build, draw in (
        ("U-Net and segmentation", "u-net", lambda: UNet(32, 2), images(32, 1)),
        ("U-Net and segmentation", "fcn", Fcn, images()),
        ("U-Net and segmentation", "deeplab", deeplab, images()),
        ("U-Net and segmentation", "feature pyramid", Pyramid, images()),
        ("Image generation", "autoencoder", autoencoder, images(32, 1)),
        ("Image generation", "variational autoencoder", Variational, floats(2, 784)),
        ("Image generation", "dcgan's generator", generator, floats(2, 64, 1, 1)),
        ("Image generation", "super-resolution", super_resolution, images(16, 1)),
        ("Convolutions in 3-D", "c3d", c3d, floats(2, 3, 8, 16, 16)),
        ("Convolutions in 3-D", "r(2+1)d", r2plus1d, floats(2, 3, 8, 16, 16)),
        ("Convolutions in 3-D", "u-net in 3-D", lambda: UNet(16, 3), floats(1, 1, 8, 8, 8)),
        ("Convolutions in 1-D", "pointnet", pointnet, floats(2, 3, 50)),
        ("Layers alone", "graph convolution", Graph, graph),
        ("Layers alone", "radiance field", Radiance, floats(16, 3)),
        ("Layers alone", "wide and deep", WideAndDeep, table),
        ("Layers alone", "mixture of experts", Experts, floats(8, 64)),
    )
]
