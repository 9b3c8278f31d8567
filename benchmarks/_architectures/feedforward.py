"""Feed-forward networks without residual connections."""

from __future__ import annotations

from torch import Tensor, nn

from _architectures.architecture import Architecture, images
from _architectures.blocks import Concat, Residual, classifier, conv


def lenet() -> nn.Module:
    """LeCun et al. 1998."""
    return nn.Sequential(
        nn.Conv2d(3, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1250, 500),
        nn.ReLU(),
        nn.Linear(500, 10),
    )


def alexnet() -> nn.Module:
    """Krizhevsky et al. 2012."""
    return nn.Sequential(
        nn.Conv2d(3, 48, 5, 2, 2),
        nn.ReLU(),
        nn.LocalResponseNorm(5),
        nn.MaxPool2d(2),
        nn.Conv2d(48, 96, 5, 1, 2, groups=2),
        nn.ReLU(),
        nn.Conv2d(96, 128, 3, 1, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(2048, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )


def vgg(*, normed: bool) -> nn.Module:
    """Simonyan & Zisserman 2014, arXiv 1409.1556."""
    layers: list[nn.Module] = []
    before = 3
    for width in (32, 0, 64, 64, 0, 128, 128, 0, 256, 0):
        if width:
            layers.append(nn.Conv2d(before, width, 3, 1, 1))
            layers += [nn.BatchNorm2d(width)] if normed else []
            layers.append(nn.ReLU())
            before = width
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 10))


def nin() -> nn.Module:
    """Network in network (Lin et al. 2013, arXiv 1312.4400)."""
    layers: list[nn.Module] = []
    for before, width in ((3, 96), (96, 128), (128, 192)):
        layers += [conv(before, width, 5, 2), conv(width, width, 1), conv(width, width, 1)]
    return nn.Sequential(*layers, classifier(192))


def fire(inputs: int, squeezed: int, outputs: int) -> nn.Module:
    """Return a fire module: squeeze, then expand with two kernel sizes (arXiv 1602.07360)."""
    half = outputs // 2
    return nn.Sequential(
        nn.Conv2d(inputs, squeezed, 1),
        nn.ReLU(),
        Concat(nn.Conv2d(squeezed, half, 1), nn.Conv2d(squeezed, half, 3, 1, 1)),
        nn.ReLU(),
    )


def squeezenet() -> nn.Module:
    """Iandola et al. 2016, arXiv 1602.07360."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 2, 1),
        nn.ReLU(),
        fire(64, 16, 128),
        fire(128, 16, 128),
        nn.MaxPool2d(2),
        fire(128, 32, 256),
        Residual(fire(256, 32, 256)),
        fire(256, 48, 384),
        nn.Conv2d(384, 10, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def inception(inputs: int, *widths: int) -> nn.Module:
    """Four branches (Szegedy et al. 2014, arXiv 1409.4842)."""
    single, before3, three, before5, five, pooled = widths
    return Concat(
        conv(inputs, single, 1),
        nn.Sequential(conv(inputs, before3, 1), conv(before3, three, 3)),
        nn.Sequential(conv(inputs, before5, 1), conv(before5, five, 5)),
        nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(inputs, pooled, 1)),
    )


def googlenet() -> nn.Module:
    """Three inception modules."""
    return nn.Sequential(
        conv(3, 64, 3, 2),
        inception(64, 32, 48, 64, 16, 32, 32),
        inception(160, 64, 64, 96, 16, 48, 32),
        nn.MaxPool2d(2),
        inception(240, 96, 96, 128, 24, 64, 64),
        classifier(352),
    )


def inception_v3() -> nn.Module:
    """Factorized 1 x n and n x 1 convolutions (arXiv 1512.00567)."""
    thin = nn.Sequential(conv(128, 64, 1), conv(64, 64, (1, 7)), conv(64, 96, (7, 1)))
    spread = Concat(conv(96, 96, (1, 3)), conv(96, 96, (3, 1)))
    return nn.Sequential(
        conv(3, 64, 3, 2),
        conv(64, 128, 3, 2),
        Concat(conv(128, 96, 1), thin),
        Concat(conv(192, 128, 1), nn.Sequential(conv(192, 96, 1), spread)),
        classifier(320),
    )


class RepVgg(nn.Module):
    """Three branches that merge into one convolution after training (arXiv 2101.03697)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.three = conv(inputs, outputs, 3, stride, act=nn.Identity)
        self.one = conv(inputs, outputs, 1, stride, act=nn.Identity)
        self.same = nn.BatchNorm2d(inputs) if (inputs, stride) == (outputs, 1) else None

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the sum of the branches."""
        outputs = self.three(inputs) + self.one(inputs)
        return nn.functional.relu(outputs if self.same is None else outputs + self.same(inputs))


def repvgg() -> nn.Module:
    """Ding et al. 2021."""
    sizes = ((3, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1))
    return nn.Sequential(*(RepVgg(*size) for size in sizes), classifier(128))


ARCHITECTURES = [
    Architecture(family, name, build, images())
    for family, name, build in (
        ("VGG and before", "lenet-5", lenet),
        ("VGG and before", "alexnet", alexnet),
        ("VGG and before", "vgg", lambda: vgg(normed=False)),
        ("VGG and before", "vgg, batch norm", lambda: vgg(normed=True)),
        ("VGG and before", "network in network", nin),
        ("VGG and before", "repvgg", repvgg),
        ("Inception", "googlenet", googlenet),
        ("Inception", "inception v3", inception_v3),
        ("SqueezeNet", "squeezenet", squeezenet),
    )
]
