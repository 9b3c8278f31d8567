"""A small GPT: a causal decoder for characters (Radford et al. 2018, 2019).

Input and output embeddings are tied (Press and Wolf, arXiv 1608.05859).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.attention import Block, Positions
from workbench.zoo.reviews_lm import ALPHABET, WINDOW
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=2, learning_rate=4e-3, batch_size=32, label_smoothing=0.0, shift=0)
MOST_LEFT_OUT = 2
HEADS = 2


class Symbols(nn.Embedding):
    """The embedding of symbols, also used as the output layer."""

    def reset_parameters(self) -> None:
        """Initialize with small values; PyTorch's default makes the outputs too large."""
        nn.init.normal_(self.weight, std=0.02)

    def logits(self, x: Tensor) -> Tensor:
        """Map [b, t, channels] to logits [b, t, symbols]."""
        return functional.linear(x, self.weight)


class Gpt(nn.Module):
    """128 channels and 3 blocks with 2 heads; 638,592 parameters.

    `channels` is a multiple of `HEADS`.
    """

    def __init__(self, channels: int = 128, blocks: int = 3) -> None:
        super().__init__()
        self.symbols = Symbols(len(ALPHABET), channels)
        self.positions = Positions(WINDOW, channels)
        self.blocks = nn.Sequential(*(Block(channels, HEADS, causal=True) for _ in range(blocks)))
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map character ids [b, t], t at most WINDOW, to logits [b, t, symbols]."""
        x = self.blocks(self.positions(self.symbols(x)))
        return self.symbols.logits(self.norm(x))


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without its last blocks if `left_out`."""
    return Gpt(HEADS * scaled(64, width), 3 - left_out)
