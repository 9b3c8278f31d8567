"""Operations on sequences of different lengths that are padded at the end.

`mask` is a bool tensor [b, t], false at padding.
"""

from __future__ import annotations

from torch import Tensor


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
