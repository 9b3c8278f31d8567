"""Where each kind of layer has the channels that it puts out and those that it takes."""

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
"""The layers that treat each channel by factors of its own, and what their weight does."""


@dataclass(frozen=True)
class Axis:
    """Where a layer has its channels: along an axis of one of its tensors.

    In layers that work on blocks of channels, `block` is how many a block has; 0 in others. Of
    tensors that are `folded` every block has the same entries.
    """

    tensor: str
    axis: int
    role: Role
    block: int = 0
    folded: bool = False


def channel_axes(layer: Any, outputs: bool, parameter_axis: int) -> tuple[Axis, ...] | None:
    """Return where a layer has the channels that it puts out, or takes; None if that is unknown.

    A parameter that is of no layer has them along `parameter_axis`.
    """
    if isinstance(layer, nn.Parameter):
        return (Axis("", parameter_axis % max(1, layer.ndim), "follows"),)
    bias = (Axis("bias", 0, "follows"),) if getattr(layer, "bias", None) is not None else ()
    if isinstance(layer, nn.Linear):
        return (Axis("weight", 0, "makes"), *bias) if outputs else (Axis("weight", 1, "takes"),)
    if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED_CONVOLUTIONS)):
        return _of_convolution(layer, outputs, bias)
    return _of_norm(layer, bias)


def _of_convolution(layer: Any, outputs: bool, bias: tuple[Axis, ...]) -> tuple[Axis, ...] | None:
    if is_depthwise(layer):
        return (Axis("weight", 0, "makes"), *bias)
    if layer.groups == layer.out_channels > 1:  # several channels in, one out
        return None
    axis = int(layer.transposed) if outputs else int(not layer.transposed)
    channels = layer.out_channels if outputs else layer.in_channels
    block = channels // layer.groups if layer.groups > 1 else 0
    role: Role = "makes" if outputs else "takes"
    return (Axis("weight", axis, role, block, block > 0 and axis == 1), *(bias * outputs))


def _of_norm(layer: Any, bias: tuple[Axis, ...]) -> tuple[Axis, ...] | None:
    role = next((role for kinds, role in NORMS.items() if isinstance(layer, kinds)), None)
    weighs = getattr(layer, "weight", None) is not None
    if isinstance(layer, nn.PReLU) and layer.num_parameters == 1:  # one for all channels
        return ()
    if role is None or _is_unsized(layer):
        return None
    block = 0
    if isinstance(layer, nn.GroupNorm) and 1 < layer.num_groups < layer.num_channels:
        block = layer.num_channels // layer.num_groups
    weight = (Axis("weight", 0, role, block),) if weighs else ()
    statistics = (
        name for name in ("running_mean", "running_var") if getattr(layer, name, None) is not None
    )
    return (*weight, *bias, *(Axis(name, 0, "follows") for name in statistics))


def _is_unsized(layer: Any) -> bool:
    """Return whether the sizes of a norm without channels cannot be told from its weight."""
    weight = getattr(layer, "weight", None)
    if isinstance(layer, nn.LayerNorm):
        return weight is None or weight.ndim != 1
    return isinstance(layer, nn.GroupNorm) and weight is None
