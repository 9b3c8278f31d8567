"""A bidirectional GRU (Cho et al., arXiv 1406.1078)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.sequences import masked_mean, reverse_sequences
from workbench.zoo.vowels.frames import COEFFICIENTS, SPEAKERS, valid_mask
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=100, learning_rate=1e-2, batch_size=32, shift=0, noise=0.5, last=True)
MOST_LEFT_OUT = 1


class Gru(nn.Module):
    """A forward and a backward GRU, the mean over the frames, and a linear layer.

    64 units have 31,113 parameters. `hidden` is the number of units of each GRU. `both=False` omits
    the backward GRU.
    """

    def __init__(self, hidden: int = 64, *, both: bool = True) -> None:
        super().__init__()
        self.forth = nn.GRU(COEFFICIENTS, hidden, batch_first=True)
        self.back = nn.GRU(COEFFICIENTS, hidden, batch_first=True) if both else None
        self.fc = nn.Linear(hidden * (1 + both), SPEAKERS)

    def forward(self, x: Tensor) -> Tensor:
        """Map recordings [b, t, 12], padded at the end with zeros, to logits [b, 9]."""
        mask = valid_mask(x)
        x = x.to(self.fc.weight.dtype)
        means = [masked_mean(self.forth(x)[0], mask)]
        if self.back is not None:
            means.append(masked_mean(self.back(reverse_sequences(x, mask))[0], mask))
        logits: Tensor = self.fc(torch.cat(means, 1))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without the backward GRU if `left_out`."""
    return Gru(scaled(64, width), both=not left_out)
