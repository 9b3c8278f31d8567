"""A small residual network (He et al., arXiv 1512.03385) that starts at half resolution.

The stride-2 stem leaves 14x14 positions to work on, a quarter of what a CIFAR-style network of
the same depth computes, for little accuracy on 28x28 images.
"""

from __future__ import annotations

from torch import Tensor, nn

from workbench.zoo.plan import TrainingPlan

PLAN = TrainingPlan(epochs=35, learning_rate=4e-3, mirror=True)


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
    """A stride-2 stem and three residual blocks at 7x7, 7x7 and 4x4."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 5, stride=2, padding=2, bias=False)
        self.bn = nn.BatchNorm2d(32)
        self.relu = nn.ReLU()
        self.blocks = nn.Sequential(Block(32, 64, 2), Block(64, 64), Block(64, 96, 2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(96, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Turn images [b, 1, 28, 28] into logits [b, 10]."""
        x = self.blocks(self.relu(self.bn(self.stem(x))))
        logits: Tensor = self.fc(self.pool(x).flatten(1))
        return logits


def build() -> nn.Module:
    """Make the network with fresh weights."""
    return ResNet()
