"""The vectors that stand for words."""

from __future__ import annotations

from torch import nn

from workbench.zoo.reviews.words import PADDING, SIZE


class Words(nn.Embedding):
    """An embedding of the vocabulary's words, small at first; padding is zero and stays it.

    PyTorch draws embeddings ten times as large. A word that training meets once or twice would
    then keep what chance gave it, and have as much to say as others.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(SIZE, channels, padding_idx=PADDING)

    def reset_parameters(self) -> None:
        """Draw the vectors."""
        nn.init.normal_(self.weight, std=0.1)
        nn.init.zeros_(self.weight[PADDING])
