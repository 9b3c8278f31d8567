"""The quantiser's grid: scales and zero points, values to codes and back.

The arithmetic is that of `torch.fake_quantize_per_channel_affine`: round half to even of the
value times the float32 reciprocal of the scale (Krishnamoorthi 2018, arXiv 1806.08342).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SMALLEST = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class QParams:
    """One scale and zero point per row of values.

    `scale` is float32 [rows], positive; `zero_point` float32 [rows], whole numbers from 0 to
    `top`, the largest code.
    """

    scale: Tensor
    zero_point: Tensor
    top: int

    @classmethod
    def over(cls, low: Tensor, high: Tensor, scheme: str, bits: int) -> QParams:
        """Return the grid whose codes span `low` to `high`, each [rows], with zero between them."""
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
        """Return the codes of `rows` [rows, length] as whole float32 numbers, same shape."""
        codes = rows * self.scale.reciprocal().unsqueeze(1)
        return codes.round_().add_(self.zero_point.unsqueeze(1)).clamp_(0, self.top)

    def values(self, codes: Tensor) -> Tensor:
        """Return the values that `codes` [rows, length] stand for, float32, same shape."""
        return (codes - self.zero_point.unsqueeze(1)).mul_(self.scale.unsqueeze(1))

    def round(self, rows: Tensor) -> Tensor:
        """Return the nearest representable values of `rows` [rows, length]."""
        return self.values(self.codes(rows))
