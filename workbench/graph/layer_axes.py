"""The axes of a layer's tensors that its output and input channels lie along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from workbench.compression.channels import Role
from workbench.runtime.layer_sizes import (
    BATCH_NORMS,
    CONVOLUTIONS,
    INSTANCE_NORMS,
    TRANSPOSED_CONVOLUTIONS,
    is_depthwise,
)

PRODUCT_LAYERS = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED_CONVOLUTIONS)
NORMS: dict[tuple[type[nn.Module], ...], Role] = {
    (*BATCH_NORMS, nn.LayerNorm): "scales",
    (*INSTANCE_NORMS, nn.GroupNorm, nn.PReLU): "follows",
}
"""Layers that scale each channel separately, and the role of their weight."""


@dataclass(frozen=True)
class Axis:
    """An axis of a layer's tensor that its channels lie along.

    Attributes
    ----------
    tensor : str
        Name of the tensor in the layer.
    axis : int
    role : Role
        What the tensor does with the channels.
    block : int
        Channels per block for layers that work on blocks of channels, else 0.
    folded : bool
        Whether all blocks share the same entries of the tensor.
    """

    tensor: str
    axis: int
    role: Role
    block: int = 0
    folded: bool = False


def channel_axes(layer: Any, outputs: bool, parameter_axis: int) -> tuple[Axis, ...] | None:
    """Return the axes of a layer's output or input channels, or None if they are unknown.

    Parameters
    ----------
    layer
        A layer, or a parameter that belongs to no layer.
    outputs
        Whether to return the output channels instead of the input channels.
    parameter_axis
        The axis of the channels of a lone parameter.
    """
    if isinstance(layer, nn.Parameter):
        return (Axis("", parameter_axis % max(1, layer.ndim), "follows"),)
    bias = (Axis("bias", 0, "follows"),) if getattr(layer, "bias", None) is not None else ()
    if isinstance(layer, nn.Linear):
        return (Axis("weight", 0, "makes"), *bias) if outputs else (Axis("weight", 1, "takes"),)
    if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED_CONVOLUTIONS)):
        return _convolution_axes(layer, outputs, bias)
    return _norm_axes(layer, bias)


def _convolution_axes(layer: Any, outputs: bool, bias: tuple[Axis, ...]) -> tuple[Axis, ...] | None:
    if is_depthwise(layer):
        return (Axis("weight", 0, "makes"), *bias)
    if layer.groups == layer.out_channels > 1:  # several inputs per output
        return None
    axis = int(layer.transposed) if outputs else int(not layer.transposed)
    channels = layer.out_channels if outputs else layer.in_channels
    block = channels // layer.groups if layer.groups > 1 else 0
    role: Role = "makes" if outputs else "takes"
    return (Axis("weight", axis, role, block, block > 0 and axis == 1), *(bias * outputs))


def _norm_axes(layer: Any, bias: tuple[Axis, ...]) -> tuple[Axis, ...] | None:
    role = next((role for kinds, role in NORMS.items() if isinstance(layer, kinds)), None)
    has_weight = getattr(layer, "weight", None) is not None
    if isinstance(layer, nn.PReLU) and layer.num_parameters == 1:  # one parameter for all channels
        return ()
    if role is None or _has_unknown_size(layer):
        return None
    block = 0
    if isinstance(layer, nn.GroupNorm) and 1 < layer.num_groups < layer.num_channels:
        block = layer.num_channels // layer.num_groups
    weight = (Axis("weight", 0, role, block),) if has_weight else ()
    statistics = (
        name for name in ("running_mean", "running_var") if getattr(layer, name, None) is not None
    )
    return (*weight, *bias, *(Axis(name, 0, "follows") for name in statistics))


def _has_unknown_size(layer: Any) -> bool:
    """Return whether the weight of a norm does not show its number of channels."""
    weight = getattr(layer, "weight", None)
    if isinstance(layer, nn.LayerNorm):
        return weight is None or weight.ndim != 1
    return isinstance(layer, nn.GroupNorm) and weight is None
