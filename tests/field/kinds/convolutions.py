"""Convolutions of every kind and number of dimensions."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES
from tests.field.kind import kind


def _head(width, pool=nn.AdaptiveAvgPool2d):
    return pool(1), nn.Flatten(), nn.Linear(width, CLASSES)


@kind("signals")
def conv1d():
    """Return a network over signals with dilation and strides."""
    layers = [
        nn.Conv1d(2, 6, 3, dilation=2),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Conv1d(6, 8, 3, stride=2),
    ]
    return nn.Sequential(*layers, nn.ReLU(), *_head(8, nn.AdaptiveMaxPool1d))


@kind("volumes")
def conv3d():
    """Return a network over volumes."""
    layers = [nn.Conv3d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(6, 6, 1)]
    return nn.Sequential(*layers, nn.ReLU(), *_head(6, nn.AdaptiveAvgPool3d))


@kind("signals")
def transposed1d():
    """Return a network with a transposed convolution over signals."""
    layers = [
        nn.Conv1d(2, 6, 3),
        nn.ReLU(),
        nn.ConvTranspose1d(6, 4, 4, stride=2),
        nn.BatchNorm1d(4),
    ]
    return nn.Sequential(*layers, nn.ReLU(), *_head(4, nn.AdaptiveAvgPool1d))


@kind("same image")
def transposed2d():
    """Return an autoencoder with transposed convolutions."""
    down = [
        nn.Conv2d(1, 6, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
    ]
    up = [nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU()]
    return nn.Sequential(
        *down, nn.ReLU(), *up, nn.ConvTranspose2d(6, 1, 4, stride=2, padding=1), nn.Tanh()
    )


@kind("volumes")
def transposed3d():
    """Return a network with a grouped transposed convolution over volumes."""
    layers = [nn.Conv3d(1, 4, 3), nn.ReLU(), nn.ConvTranspose3d(4, 6, 2, groups=2), nn.ReLU()]
    return nn.Sequential(*layers, *_head(6, nn.AdaptiveAvgPool3d))


@kind("pictures")
def grouped():
    """Return a network with grouped convolutions."""
    layers = [
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=4),
        nn.ReLU(),
    ]
    return nn.Sequential(*layers, nn.Conv2d(8, 12, 1, groups=2), nn.ReLU(), *_head(12))


@kind("pictures")
def depthwise():
    """Return a network with depthwise convolutions, one with a channel multiplier of two."""
    layers = [
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU6(),
        nn.Conv2d(6, 12, 3, groups=6),
        nn.BatchNorm2d(12),
    ]
    return nn.Sequential(*layers, nn.ReLU6(), nn.Conv2d(12, 6, 1), nn.ReLU(), *_head(6))


@kind("pictures")
def circular():
    """Return a network with circular and reflection padding."""
    layers = [nn.Conv2d(3, 6, 3, padding=1, padding_mode="circular"), nn.ReLU()]
    layers += [nn.Conv2d(6, 6, 3, padding="same", padding_mode="reflect", dilation=2), nn.ReLU()]
    return nn.Sequential(*layers, *_head(6))


@kind("pictures")
def uneven():
    """Return a network with kernels, strides and padding that differ by dimension."""
    layers = [
        nn.Conv2d(3, 6, (1, 3), padding="same"),
        nn.ELU(),
        nn.Conv2d(6, 6, (3, 1), stride=(2, 1)),
    ]
    return nn.Sequential(*layers, nn.Hardswish(), *_head(6))


@kind("larger image")
def pixel_shuffle():
    """Return a network with pixel shuffle."""
    layers = [nn.Conv2d(1, 6, 3, padding=1), nn.PReLU(6), nn.Conv2d(6, 4, 3, padding=1)]
    return nn.Sequential(*layers, nn.PixelShuffle(2), nn.Tanh())


@kind("larger image")
def upsampled():
    """Return a network with upsampling by interpolation."""
    up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.LeakyReLU(0.1), up, nn.Conv2d(6, 1, 3, padding=1)
    )


@kind("pictures")
def prelu():
    """Return a network with PReLU, per channel and shared."""
    layers = [nn.Conv2d(3, 8, 3), nn.PReLU(8), nn.MaxPool2d(2), nn.Conv2d(8, 6, 2), nn.PReLU()]
    return nn.Sequential(*layers, *_head(6))


@kind("pictures")
def separable_3x3_of_one():
    """Return a network with a single channel inside, and layers with one output."""
    return nn.Sequential(nn.Conv2d(3, 1, 3), nn.Tanh(), nn.Conv2d(1, 5, 3), nn.ReLU(), *_head(5))


@kind("pictures")
class WeightStandardized(nn.Module):
    """A custom convolution that standardizes its weights at each call."""

    class Layer(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            weight = weight / (weight.flatten(1).std(1).view(-1, 1, 1, 1) + 1e-5)
            return F.conv2d(x, weight, self.bias, self.stride, self.padding)

    def __init__(self):
        super().__init__()
        self.c, self.n = WeightStandardized.Layer(3, 8, 3), nn.GroupNorm(4, 8)
        self.c2, self.fc = WeightStandardized.Layer(8, 6, 3), nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.fc(F.relu(self.c2(F.relu(self.n(self.c(x))))).mean((2, 3)))


@kind("pictures")
class DynamicConvolution(nn.Module):
    """Each example mixes its own kernel from several, in a convolution grouped by example."""

    def __init__(self):
        super().__init__()
        self.kernels = nn.Parameter(torch.randn(3, 6, 3, 3, 3) / 4)
        self.route, self.fc = nn.Linear(3, 3), nn.Linear(6, CLASSES)

    def forward(self, x):
        mix = self.route(x.mean((2, 3))).softmax(1)
        kernels = torch.einsum("bk,koihw->boihw", mix, self.kernels).flatten(0, 1)
        y = F.conv2d(x.reshape(1, -1, 8, 8), kernels, groups=len(x)).view(len(x), 6, 6, 6)
        return self.fc(F.relu(y).mean((2, 3)))
