"""The small convolutional network that learns from pictures."""

from __future__ import annotations

from torch import nn

CHANNELS = (16, 32, 64)
DROPOUT = 0.3
POOLED = 2
"""Height and width of what remains of a photograph before the classes."""
SMALL = 28
"""Pictures of this side are small; larger ones are photographs."""


def picture_network(channels: int, side: int, outputs: int) -> nn.Sequential:
    """Return a network of three convolutions with random weights.

    For photographs, the first convolution halves the size, and the last layer sees the means of
    four quarters instead of every place.

    Parameters
    ----------
    channels
        1 for gray pictures, 3 for color.
    side
        Height and width in pixels.
    outputs
        The number of classes.
    """
    is_small = side <= SMALL
    layers: list[nn.Module] = []
    for number, width in enumerate(CHANNELS):
        if number == 0 and not is_small:
            layers.append(nn.Conv2d(channels, width, 5, stride=2, padding=2, bias=False))
            side //= 2
        else:
            layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=False))
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
        if is_small or number < len(CHANNELS) - 1:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        channels = width
    if not is_small:
        layers.append(nn.AdaptiveAvgPool2d(POOLED))
        side = POOLED
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(channels * side * side, outputs)
    )
