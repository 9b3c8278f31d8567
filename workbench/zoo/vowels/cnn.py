"""Temporal convolutions over the frames of a recording."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.sequences import masked_mean
from workbench.zoo.vowels.frames import COEFFICIENTS, SPEAKERS, valid_mask
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=100, learning_rate=5e-3, batch_size=32, shift=0, noise=1.0, last=True)
MOST_LEFT_OUT = 1


class Cnn(nn.Module):
    """Three convolutions of width 5 and the mean over the frames; 26,505 parameters.

    `channels` is the number of filters of each of the `depth` convolutions.
    """

    def __init__(self, channels: int = 48, depth: int = 3) -> None:
        super().__init__()
        sizes = [COEFFICIENTS, *[channels] * depth]
        self.convs = nn.ModuleList(
            nn.Conv1d(inputs, channels, 5, padding=2) for inputs in sizes[:-1]
        )
        self.relu = nn.ReLU()
        self.fc = nn.Linear(channels, SPEAKERS)

    def forward(self, x: Tensor) -> Tensor:
        """Map recordings [b, t, 12], padded at the end with zeros, to logits [b, 9]."""
        mask = valid_mask(x)
        x = x.to(self.fc.weight.dtype).transpose(1, 2)
        weights = mask.unsqueeze(1).to(x.dtype)
        for conv in self.convs:
            x = self.relu(conv(x)) * weights  # padding stays zero for the next convolution
        logits: Tensor = self.fc(masked_mean(x.transpose(1, 2), mask))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without its last convolution if `left_out`."""
    return Cnn(scaled(48, width), 3 - left_out)
