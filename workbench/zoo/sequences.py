"""Sequences of different lengths in one batch, padded at the end: what networks need to ignore it.

`real` is a bool tensor [b, t] throughout, true where a place is no padding.
"""

from __future__ import annotations

from torch import Tensor


def masked_mean(x: Tensor, real: Tensor) -> Tensor:
    """Return the mean over the real places of `x` [b, t, channels]; zeros where there are none."""
    shares = real.to(x.dtype)
    counts = shares.sum(1, keepdim=True).clamp(min=1)
    return (x * shares.unsqueeze(-1)).sum(1) / counts


def reverse_sequences(x: Tensor, real: Tensor) -> Tensor:
    """Return `x` [b, t, channels] with the real places of each sequence in reverse, still in front.

    A network that reads it meets the last word first and never padding before it; what it then
    has at the padded places means nothing.
    """
    order = real.sum(1, keepdim=True) - real.cumsum(1)  # the last real place first, down to 0
    return x.gather(1, order.unsqueeze(-1).expand_as(x))
