"""A small residual network (He et al., arXiv 1512.03385) that starts at half resolution.

The stride-2 stem leaves 14x14 positions. This needs a quarter of the computation of a CIFAR-style
network of the same depth and costs little accuracy on 28x28 images.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=35, learning_rate=4e-3, mirror=True)
MOST_LEFT_OUT = 2


class Block(nn.Module):
    """Two 3x3 convolutions with batch norm and a shortcut (1x1 if the shape changes)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.shortcut = nn.Sequential()
        if (inputs, stride) != (outputs, 1):
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map [b, inputs, h, w] to [b, outputs, h / stride, w / stride]."""
        y = self.relu(self.bn1(self.conv1(x)))
        out: Tensor = self.relu(self.bn2(self.conv2(y)) + self.shortcut(x))
        return out


class ResNet(nn.Module):
    """A stride-2 stem and residual blocks, by default three at 7x7, 7x7 and 4x4.

    `channels` are those of the stem and each block, `strides` those of the blocks.
    """

    def __init__(
        self, channels: Sequence[int] = (32, 64, 64, 96), strides: Sequence[int] = (2, 1, 2)
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels[0], 5, stride=2, padding=2, bias=False)
        self.bn = nn.BatchNorm2d(channels[0])
        self.relu = nn.ReLU()
        sizes = zip(pairwise(channels), strides, strict=True)
        self.blocks = nn.Sequential(*(Block(a, b, stride) for (a, b), stride in sizes))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map images [b, 1, 28, 28] to logits [b, 10]."""
        x = self.blocks(self.relu(self.bn(self.stem(x))))
        logits: Tensor = self.fc(self.pool(x).flatten(1))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, omitting its second block first, then its third."""
    blocks = ((64, 2), (64, 1), (96, 2))
    remaining = [block for i, block in enumerate(blocks) if i not in (1, 2)[:left_out]]
    channels = [scaled(32, width), *(scaled(outputs, width) for outputs, _ in remaining)]
    return ResNet(channels, [stride for _, stride in remaining])
