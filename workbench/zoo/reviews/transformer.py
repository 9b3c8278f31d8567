"""A small transformer encoder (Vaswani et al., arXiv 1706.03762)."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.attention import Block, Positions
from workbench.zoo.reviews.embedding import Words
from workbench.zoo.reviews.words import LENGTH, PADDING
from workbench.zoo.sequences import masked_mean
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=4, learning_rate=2e-3, batch_size=64, shift=0)
MOST_LEFT_OUT = 1
HEADS = 4


class Encoder(nn.Module):
    """64 channels and 2 blocks with 4 heads; 620,418 parameters.

    `channels` is a multiple of `HEADS`.
    """

    def __init__(self, channels: int = 64, blocks: int = 2) -> None:
        super().__init__()
        self.embedding = Words(channels)
        self.positions = Positions(LENGTH, channels)
        self.blocks = nn.ModuleList(Block(channels, HEADS) for _ in range(blocks))
        self.norm = nn.LayerNorm(channels)
        self.fc = nn.Linear(channels, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map word ids [b, t], padded at the end, to logits [b, 2]."""
        mask = x != PADDING
        x = self.positions(self.embedding(x))
        for block in self.blocks:
            x = block(x, mask)
        logits: Tensor = self.fc(masked_mean(self.norm(x), mask))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without its last block if `left_out`."""
    return Encoder(HEADS * scaled(16, width), 2 - left_out)
