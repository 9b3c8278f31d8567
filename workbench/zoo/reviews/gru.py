"""A recurrent network with gated units (Cho et al., arXiv 1406.1078) that reads both ways."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.reviews.embedding import Words
from workbench.zoo.reviews.words import PADDING
from workbench.zoo.sequences import masked_mean, reverse_sequences
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=4, learning_rate=3e-3, batch_size=64, shift=0)
MOST_LEFT_OUT = 1


class Gru(nn.Module):
    """Embeddings, a GRU from the front, one from the end, the mean of both over the words, a layer.

    64 channels and 64 units have 562,178 parameters. `hidden` counts the units of each GRU;
    without `both` only the first one reads.
    """

    def __init__(self, channels: int = 64, hidden: int = 64, *, both: bool = True) -> None:
        super().__init__()
        self.embedding = Words(channels)
        self.forth = nn.GRU(channels, hidden, batch_first=True)
        self.back = nn.GRU(channels, hidden, batch_first=True) if both else None
        self.fc = nn.Linear(hidden * (1 + both), 2)

    def forward(self, x: Tensor) -> Tensor:
        """Turn word ids [b, t], padded at the end, into logits [b, 2]."""
        real = x != PADDING
        x = self.embedding(x)
        means = [masked_mean(self.forth(x)[0], real)]
        if self.back is not None:
            means.append(masked_mean(self.back(reverse_sequences(x, real))[0], real))
        logits: Tensor = self.fc(torch.cat(means, 1))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Make the network with fresh weights, without the GRU from the end if one is left out."""
    return Gru(scaled(64, width), scaled(64, width), both=not left_out)
