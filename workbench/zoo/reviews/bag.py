"""A bag of words (Joulin et al., arXiv 1607.01759)."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.reviews.embedding import Words
from workbench.zoo.reviews.words import PADDING
from workbench.zoo.sequences import masked_mean
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=8, learning_rate=3e-3, batch_size=64, shift=0)
MOST_LEFT_OUT = 0


class Bag(nn.Module):
    """The mean of word embeddings and a linear layer; 64 channels have 512,130 parameters."""

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        self.embedding = Words(channels)
        self.fc = nn.Linear(channels, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map word ids [b, t], padded at the end, to logits [b, 2]."""
        logits: Tensor = self.fc(masked_mean(self.embedding(x), x != PADDING))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights; no layer can be omitted."""
    return Bag(scaled(64, width))
