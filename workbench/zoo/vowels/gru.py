"""A bidirectional GRU (Cho et al., arXiv 1406.1078)."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.sequences import BidirectionalGru
from workbench.zoo.vowels.frames import COEFFICIENTS, SPEAKERS, valid_mask
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=100, learning_rate=1e-2, batch_size=32, shift=0, noise=0.5, last=True)
MOST_LEFT_OUT = 1


class Gru(BidirectionalGru):
    """A forward and a backward GRU, the mean over the frames, and a linear layer.

    64 units have 31,113 parameters.
    """

    def __init__(self, hidden: int = 64, *, both: bool = True) -> None:
        super().__init__(COEFFICIENTS, hidden, SPEAKERS, both=both)

    def forward(self, x: Tensor) -> Tensor:
        """Map recordings [b, t, 12], padded at the end with zeros, to logits [b, 9]."""
        return self.classify(x.to(self.fc.weight.dtype), valid_mask(x))


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without the backward GRU if `left_out`."""
    return Gru(scaled(64, width), both=not left_out)
