"""Layers that compute as integer arithmetic would: inputs and weights in codes, sums exact.

A product of codes is a whole number. Float32 holds it exactly below 2²⁴ and float64 below 2⁵³, so
each sum is done in the narrower of the two that its largest possible value allows: the result is
that of 32-bit accumulators, bit by bit, in whatever order it is added up.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from workbench.artifact.form import InputGrid

EXACT = 2**24
"""Below this, every whole number is a float32."""


class IntegerLayer(nn.Module):
    """Runs `layer`, a linear layer or a convolution, on rounded inputs.

    `weight` holds the weights as they are decoded, so that whoever reads them finds what the layer
    multiplies with, and `weight_scale` [rows] what they count in: weights over scales are whole
    numbers, codes less their zero points. Where the file keeps a layer's weights otherwise, the
    scales are ones and the products are float64.
    """

    def __init__(self, layer: nn.Linear | nn.Conv1d | nn.Conv2d, grid: InputGrid) -> None:
        super().__init__()
        self.grid = grid
        self.weight = layer.weight
        self.bias = layer.bias
        for name in layer.__constants__:  # others may ask for its sizes
            setattr(self, name, getattr(layer, name))
        rows = layer.weight.shape[0]
        self.weight_scale: Tensor
        self.register_buffer("weight_scale", torch.empty(rows))
        self._product: Callable[[Tensor, Tensor], Tensor]
        if isinstance(layer, nn.Linear):
            self._across: tuple[int, ...] = (-1,)
            self._product = nn.functional.linear
        else:
            self._across = (1, -1, *[1] * (layer.weight.ndim - 2))
            self._product = lambda inputs, weight: layer._conv_forward(inputs, weight, None)  # noqa: SLF001

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the layer's outputs, in the dtype of `inputs`."""
        grid = self.grid
        codes = (inputs / grid.scale).round_().add_(grid.zero_point).clamp_(0, grid.top)
        codes -= grid.zero_point  # so that padding with zeros pads with the value zero
        weight = self._counts()
        dtype = torch.float32 if self._fits(weight) else torch.float64
        sums = self._product(codes.to(dtype), weight.to(dtype)).to(inputs.dtype)
        scale = self.weight_scale.to(inputs.dtype) * grid.scale
        outputs = sums * scale.view(self._across)
        return outputs if self.bias is None else outputs + self.bias.view(self._across)

    def _counts(self) -> Tensor:
        """Return the weights over their scales, as whole numbers where they are."""
        if bool((self.weight_scale == 1).all()):
            return self.weight
        scale = self.weight_scale.where(self.weight_scale != 0, 1.0)  # of a row of zeros
        return (self.weight / scale.view(-1, *[1] * (self.weight.ndim - 1))).round()

    def _fits(self, weight: Tensor) -> bool:
        """Whether every sum of products of codes is below 2²⁴ on the way, too."""
        if not bool((weight == weight.round()).all()):
            return False
        most = max(self.grid.zero_point, self.grid.top - self.grid.zero_point)
        return float(weight.double().abs().flatten(1).sum(dim=1).max()) * most < EXACT
