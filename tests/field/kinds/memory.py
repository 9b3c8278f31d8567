"""Modules that depend on the memory layout, write to their inputs, or fail for some batch sizes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES
from tests.field.kind import kind
from tests.field.kinds.parameters import Convolutions, perceptron


class Flattening(nn.Module):
    """A convolution whose outputs are flattened for a linear layer."""

    def __init__(self):
        super().__init__()
        self.c, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(144, CLASSES)

    def forward(self, x):
        return self.fc(self.row(F.relu(self.c(x))))


@kind("pictures")
class View(Flattening):
    def row(self, x):
        return x.view(x.size(0), -1)


@kind("pictures")
class Strided(Flattening):
    def row(self, x):
        return x.as_strided((len(x), 144), (144, 1))


@kind("pictures")
class ViewOfInput(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = perceptron(192, 10, CLASSES)

    def forward(self, x):
        return self.body(x.view(-1, 3 * 8 * 8))


@kind("pictures")
class Storage(Flattening):
    """Reads the storage directly, which is correct for contiguous inputs only."""

    def row(self, x):
        flat = torch.empty(0, dtype=x.dtype).set_(
            x.untyped_storage(), x.storage_offset(), (x.numel(),)
        )
        return flat.reshape(len(x), 144)


@kind("pictures")
class Patches(nn.Module):
    """Splits images into patches by view and permute, as a vision transformer does."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Linear(48, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = x.view(len(x), 3, 2, 4, 2, 4).permute(0, 2, 4, 3, 5, 1).reshape(len(x), 4, 48)
        return self.head(F.gelu(self.embed(x)).mean(1))


@kind("pictures")
def channels_last():
    """Return a network whose weights are channels-last in memory."""
    return Convolutions().to(memory_format=torch.channels_last)


@kind("pictures")
class TurnsChannelsLast(Convolutions):
    def forward(self, x):
        return super().forward(x.contiguous(memory_format=torch.channels_last))


@kind("points")
class AddsToInput(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = perceptron(8, 10, CLASSES)

    def forward(self, x):
        x += 1
        return self.body(x)


@kind("pictures")
class NormalizesInPlace(Convolutions):
    def forward(self, x):
        x.sub_(0.5).div_(0.5)
        return super().forward(x.relu_())


@kind("named")
class WritesToNamed(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = perceptron(8, 10, CLASSES)

    def forward(self, left, right):
        left[:, 0] = 0
        right *= 2
        return self.body(left + right)


@kind("pictures")
class Squeezes(nn.Module):
    """`squeeze` without a dimension fails for a batch of one."""

    def __init__(self):
        super().__init__()
        self.c, self.fc = nn.Conv2d(3, 6, 3), nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(F.relu(self.c(x)), 1).squeeze())


@kind("number")
class NumberWithoutAxis(nn.Module):
    """One number per example, one-dimensional like the targets."""

    def __init__(self):
        super().__init__()
        self.body = perceptron(8, 10, 1)

    def forward(self, x):
        return self.body(x).squeeze(-1)


@kind("pictures")
class InPlaceLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b, self.c2 = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Conv2d(6, 6, 1)
        self.act, self.fc = nn.ReLU(inplace=True), nn.Linear(6, CLASSES)

    def forward(self, x):
        x = self.act(self.b(self.c1(x)))
        skip, x = x, self.c2(x)
        x += skip
        self.act(x)
        return self.fc(x.mean((2, 3)))


@kind("pictures")
class Unfolds(nn.Module):
    """A convolution as `unfold` and a matrix product."""

    def __init__(self):
        super().__init__()
        self.mix, self.fc = nn.Linear(27, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.fc(F.relu(self.mix(F.unfold(x, 3).transpose(1, 2))).amax(1))
