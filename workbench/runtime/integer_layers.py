"""Layers that compute as integer arithmetic would: inputs and weights in codes, sums exact.

A product of codes is a whole number. Float32 holds it exactly below 2²⁴ and float64 below 2⁵³, so
each sum is done in the narrower of the two that its largest possible value allows: the result is
that of 32-bit accumulators, bit by bit, in whatever order it is added up.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workbench.artifact.module_spec import InputQParams

EXACT_FLOAT32 = 2**24
"""Below this, every whole number is a float32."""


def use_integer_inputs(
    layer: nn.Linear | nn.Conv1d | nn.Conv2d, grid: InputQParams
) -> nn.Linear | nn.Conv1d | nn.Conv2d:
    """Make a private `layer` run on rounded inputs, and return it: it stays what it was otherwise.

    Its `weight` holds the weights as they are decoded, so that whoever reads them finds what the
    layer multiplies with, and a new buffer `weight_scale` [rows] what they count in: weights over
    scales are whole numbers, codes less their zero points. Where the file keeps a layer's weights
    otherwise, the scales are ones and the products are float64.
    """
    layer.register_buffer("weight_scale", torch.empty(layer.weight.shape[0]))
    setattr(layer, "forward", IntegerForward(layer, grid))  # noqa: B010 - it is a method otherwise
    return layer


def uses_integer_inputs(layer: nn.Module) -> bool:
    """Return whether `use_integer_inputs` was called with the layer."""
    return isinstance(vars(layer).get("forward"), IntegerForward)


class IntegerForward:
    """What a layer does on inputs that are rounded to `grid`."""

    def __init__(self, layer: nn.Linear | nn.Conv1d | nn.Conv2d, grid: InputQParams) -> None:
        self.layer = layer
        self.grid = grid

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the layer's outputs, in the dtype of `inputs`."""
        grid, layer = self.grid, self.layer
        codes = (inputs / grid.scale).round_().add_(grid.zero_point).clamp_(0, grid.top)
        codes -= grid.zero_point  # so that padding with zeros pads with the value zero
        weight = self._counts()
        dtype = torch.float32 if self._fits(weight) else torch.float64
        sums = self._product(codes.to(dtype), weight.to(dtype)).to(inputs.dtype)
        across = (-1, *[1] * (layer.weight.ndim - 2))  # counted from the last axis: batch or none
        outputs = sums * (self._scale.to(inputs.dtype) * grid.scale).view(across)
        return outputs if layer.bias is None else outputs + layer.bias.view(across)

    @property
    def _scale(self) -> Tensor:
        scale: Tensor = self.layer.get_buffer("weight_scale")
        return scale

    def _product(self, codes: Tensor, weight: Tensor) -> Tensor:
        layer = self.layer
        if isinstance(layer, nn.Linear):
            return nn.functional.linear(codes, weight)
        found: Tensor = layer._conv_forward(codes, weight, None)  # noqa: SLF001 - takes a weight
        return found

    def _counts(self) -> Tensor:
        """Return the weights over their scales, as whole numbers where they are."""
        weight, scale = self.layer.weight, self._scale
        if bool((scale == 1).all()):
            return weight
        safe = scale.where(scale != 0, 1.0)  # of a row of zeros
        return (weight / safe.view(-1, *[1] * (weight.ndim - 1))).round()

    def _fits(self, weight: Tensor) -> bool:
        """Whether every sum of products of codes is below 2²⁴ on the way, too."""
        if not bool((weight == weight.round()).all()):
            return False
        most = max(self.grid.zero_point, self.grid.top - self.grid.zero_point)
        return float(weight.double().abs().flatten(1).sum(dim=1).max()) * most < EXACT_FLOAT32
