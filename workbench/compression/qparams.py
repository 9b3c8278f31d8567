"""Quantization parameters: scales and zero points, values to codes and back.

The arithmetic is that of `torch.fake_quantize_per_channel_affine`: the value times the float32
reciprocal of the scale, rounded half to even (Krishnamoorthi 2018, arXiv 1806.08342).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SMALLEST = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class QParams:
    """One scale and zero point per row of values.

    Attributes
    ----------
    scale : Tensor
        Positive, float32 [rows].
    zero_point : Tensor
        Integers from 0 to `top`, as float32 [rows].
    top : int
        The largest code.
    """

    scale: Tensor
    zero_point: Tensor
    top: int

    @classmethod
    def from_range(cls, low: Tensor, high: Tensor, scheme: str, bits: int) -> QParams:
        """Return the parameters whose codes span `low` ≤ 0 to `high` ≥ 0, each [rows]."""
        if scheme == "symmetric":
            half = 2 ** (bits - 1) - 1
            scale = torch.maximum(-low, high) / half
            scale = torch.where(scale > 0, scale, 1).clamp(min=SMALLEST)
            return cls(scale, torch.full_like(scale, half), 2 * half)
        top = 2**bits - 1
        scale = high / top - low / top
        scale = torch.where(scale > 0, scale, 1).clamp(min=SMALLEST)
        return cls(scale, (-low / scale).round_().clamp_(0, top), top)

    def codes(self, rows: Tensor) -> Tensor:
        """Return the codes of `rows` [rows, length]: integers as float32, of the same shape."""
        codes = rows * self.scale.reciprocal().unsqueeze(1)
        return codes.round_().add_(self.zero_point.unsqueeze(1)).clamp_(0, self.top)

    def values(self, codes: Tensor) -> Tensor:
        """Return the float32 values of `codes` [rows, length], of the same shape."""
        return (codes - self.zero_point.unsqueeze(1)).mul_(self.scale.unsqueeze(1))

    def round(self, rows: Tensor) -> Tensor:
        """Return the nearest representable values of `rows` [rows, length]."""
        return self.values(self.codes(rows))
