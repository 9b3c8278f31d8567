"""A small residual network (He et al., arXiv 1512.03385) that starts at half resolution.

The stride-2 stem leaves 14x14 positions to work on, a quarter of what a CIFAR-style network of
the same depth computes, for little accuracy on 28x28 images.
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
    """Two 3x3 convolutions with batch norm beside a shortcut (1x1 where the shape changes)."""

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
        """Turn [b, inputs, h, w] into [b, outputs, h / stride, w / stride]."""
        y = self.relu(self.bn1(self.conv1(x)))
        out: Tensor = self.relu(self.bn2(self.conv2(y)) + self.shortcut(x))
        return out


class ResNet(nn.Module):
    """A stride-2 stem and residual blocks: three, at 7x7, 7x7 and 4x4, unless said otherwise.

    `channels` are those of the stem, then of each block; `strides` are the blocks' own.
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
        """Turn images [b, 1, 28, 28] into logits [b, 10]."""
        x = self.blocks(self.relu(self.bn(self.stem(x))))
        logits: Tensor = self.fc(self.pool(x).flatten(1))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Make the network with fresh weights, without its second block, then without its third."""
    blocks = ((64, 2), (64, 1), (96, 2))
    left = [block for place, block in enumerate(blocks) if place not in (1, 2)[:left_out]]
    channels = [scaled(32, width), *(scaled(outputs, width) for outputs, _ in left)]
    return ResNet(channels, [stride for _, stride in left])
