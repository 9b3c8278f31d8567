"""Operations and a network for sequences of different lengths that are padded at the end.

`mask` is a bool tensor [b, t], false at padding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of `x` [b, t, channels] over unmasked positions; zero if there are none."""
    weights = mask.to(x.dtype)
    counts = weights.sum(1, keepdim=True).clamp(min=1)
    return (x * weights.unsqueeze(-1)).sum(1) / counts


def reverse_sequences(x: Tensor, mask: Tensor) -> Tensor:
    """Return `x` [b, t, channels] with the unmasked positions of each sequence reversed.

    They stay in front of the padding. The values at padded positions are arbitrary.
    """
    order = mask.sum(1, keepdim=True) - mask.cumsum(1)  # from the last unmasked position to 0
    return x.gather(1, order.unsqueeze(-1).expand_as(x))


class BidirectionalGru(nn.Module):
    """A forward and a backward GRU, the mean over unmasked positions, and a linear layer.

    `hidden` is the number of units of each GRU. `both=False` omits the backward GRU.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        classes: int,
        *,
        both: bool,
        embedding: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.forth = nn.GRU(channels, hidden, batch_first=True)
        self.back = nn.GRU(channels, hidden, batch_first=True) if both else None
        self.fc = nn.Linear(hidden * (1 + both), classes)

    def classify(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map sequences [b, t, channels], or ids [b, t] to embed, to logits [b, classes]."""
        x = x if self.embedding is None else self.embedding(x)
        means = [masked_mean(self.forth(x)[0], mask)]
        if self.back is not None:
            means.append(masked_mean(self.back(reverse_sequences(x, mask))[0], mask))
        logits: Tensor = self.fc(torch.cat(means, 1))
        return logits
