"""A bidirectional GRU (Cho et al., arXiv 1406.1078)."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.reviews.embedding import Words
from workbench.zoo.reviews.words import PADDING
from workbench.zoo.sequences import BidirectionalGru
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=4, learning_rate=3e-3, batch_size=64, shift=0)
MOST_LEFT_OUT = 1


class Gru(BidirectionalGru):
    """Embeddings, a forward and a backward GRU, the mean over the words, a linear layer.

    64 channels and 64 units have 562,178 parameters.
    """

    def __init__(self, channels: int = 64, hidden: int = 64, *, both: bool = True) -> None:
        super().__init__(channels, hidden, 2, both=both, embedding=Words(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map word ids [b, t], padded at the end, to logits [b, 2]."""
        return self.classify(x, x != PADDING)


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without the backward GRU if `left_out`."""
    return Gru(scaled(64, width), scaled(64, width), both=not left_out)
