"""Word embeddings."""

from __future__ import annotations

from torch import nn

from workbench.zoo.reviews.words import PADDING, SIZE


class Words(nn.Embedding):
    """An embedding of the vocabulary with small initial values; padding stays zero.

    PyTorch's default is ten times larger. Rare words would then keep their random embeddings and
    have as much influence as frequent ones.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(SIZE, channels, padding_idx=PADDING)

    def reset_parameters(self) -> None:
        """Initialize the embeddings."""
        nn.init.normal_(self.weight, std=0.1)
        nn.init.zeros_(self.weight[PADDING])
