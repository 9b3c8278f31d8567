"""Layers that reproduce integer arithmetic exactly in floating point.

Products of integer codes are integers. Float32 represents them exactly below 2²⁴ and float64 below
2⁵³. Each sum uses the narrower type that its largest possible value allows, so the result equals
that of 32-bit integer accumulators bit by bit, in any order of addition.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from workbench.artifact.module_spec import InputQParams

EXACT_FLOAT32 = 2**24
"""Float32 represents every integer below this value."""
LARGEST_BIAS = 2**31 - 1
"""The largest whole number of a bias."""


def use_integer_inputs(
    layer: nn.Linear | nn.Conv1d | nn.Conv2d,
    qparams: InputQParams,
    outputs: InputQParams | None = None,
    *,
    whole_biases: bool = False,
) -> nn.Linear | nn.Conv1d | nn.Conv2d:
    """Make a private `layer` quantize its inputs, and return it.

    `weight` still holds the decoded weights. A new buffer `weight_scale` [outputs] holds the scale
    of each row: weights divided by scales are integers, the codes minus their zero points. If the
    weights of the file are not uniformly quantized, the scales are 1 and products are float64.

    Parameters
    ----------
    layer
        The layer to change.
    qparams
        The quantization parameters of its inputs.
    outputs
        Those of its outputs, if these are quantized too.
    whole_biases
        Whether each bias is rounded to a whole multiple of the input scale times the row scale, as
        kernels do that add it to sums of 32-bit integers (Jacob et al. 2017, arXiv 1712.05877).
    """
    layer.register_buffer("weight_scale", torch.empty(layer.weight.shape[0]))
    forward = IntegerForward(layer, qparams, outputs, whole_biases=whole_biases)
    setattr(layer, "forward", forward)  # noqa: B010 - it is a method otherwise
    return layer


def uses_integer_inputs(layer: nn.Module) -> bool:
    """Return whether `use_integer_inputs` was applied to the layer."""
    return isinstance(vars(layer).get("forward"), IntegerForward)


class IntegerForward:
    """The forward of a layer on inputs quantized with `qparams`.

    Attributes
    ----------
    codes : callable
        What rounds inputs and outputs: `centered_codes`.
    """

    codes: Callable[[Tensor, InputQParams], Tensor]

    def __init__(
        self,
        layer: nn.Linear | nn.Conv1d | nn.Conv2d,
        qparams: InputQParams,
        outputs: InputQParams | None = None,
        *,
        whole_biases: bool = False,
    ) -> None:
        self.layer = layer
        self.qparams = qparams
        self.outputs = outputs
        self.whole_biases = whole_biases
        self.codes = centered_codes

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the layer's outputs, in the dtype of `inputs`."""
        qparams, layer = self.qparams, self.layer
        codes = self.codes(inputs, qparams)  # padding with code 0 means the value zero
        weight = self._weight_codes()
        dtype = torch.float32 if self._fits(weight) else torch.float64
        sums = self._product(codes.to(dtype), weight.to(dtype)).to(inputs.dtype)
        shape = (-1, *[1] * (layer.weight.ndim - 2))  # from the last axis: the batch is optional
        scale = (self._scale.to(inputs.dtype) * qparams.scale).view(shape)
        if layer.bias is None:
            outputs = sums * scale
        elif self.whole_biases:
            outputs = (sums + self._bias_codes().to(inputs.dtype).view(shape)) * scale
        else:
            outputs = sums * scale + layer.bias.view(shape)
        if self.outputs is None:
            return outputs
        return self.codes(outputs, self.outputs) * self.outputs.scale

    def _bias_codes(self) -> Tensor:
        """Return the biases as whole numbers, float64 [outputs]."""
        assert self.layer.bias is not None
        return whole_bias(self.layer.bias, self._scale, self.qparams.scale)

    @property
    def _scale(self) -> Tensor:
        scale: Tensor = self.layer.get_buffer("weight_scale")
        return scale

    def _product(self, codes: Tensor, weight: Tensor) -> Tensor:
        layer = self.layer
        if isinstance(layer, nn.Linear):
            return nn.functional.linear(codes, weight)
        sums: Tensor = layer._conv_forward(codes, weight, None)  # noqa: SLF001 - takes a weight
        return sums

    def _weight_codes(self) -> Tensor:
        """Return the weights divided by their scales: integers if they are uniformly quantized."""
        weight, scale = self.layer.weight, self._scale
        if bool((scale == 1).all()):
            return weight
        divisor = scale.where(scale != 0, 1.0)  # a row of zeros has scale 0
        return (weight / divisor.view(-1, *[1] * (weight.ndim - 1))).round()

    def _fits(self, weight: Tensor) -> bool:
        """Return whether every partial sum of products stays below 2²⁴."""
        if not bool((weight == weight.round()).all()):
            return False
        largest = max(self.qparams.zero_point, self.qparams.top - self.qparams.zero_point)
        return float(weight.double().abs().flatten(1).sum(dim=1).max()) * largest < EXACT_FLOAT32


def centered_codes(values: Tensor, qparams: InputQParams) -> Tensor:
    """Return the codes of `values` less the zero point, in the dtype of `values`."""
    codes = (values / qparams.scale).round_().add_(qparams.zero_point).clamp_(0, qparams.top)
    return codes.sub_(qparams.zero_point)


def whole_bias(bias: Tensor, row_scale: Tensor, input_scale: float) -> Tensor:
    """Return biases as whole numbers of the input scale times the row scale, float64 [outputs].

    The division is in float64, rounded half to even, and limited to ±(2³¹ − 1).
    """
    unit = row_scale.double() * input_scale
    return (bias.double() / unit).round_().clamp_(-LARGEST_BIAS, LARGEST_BIAS)
