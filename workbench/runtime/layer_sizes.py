"""Size attributes of layers, updated to match the weights that a layer runs on.

Most layers take their sizes from their tensors when they run. Grouped convolutions and norms store
a number of groups or a shape, which is wrong after channels were removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED_CONVOLUTIONS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)

Sizes = dict[str, Any]


def is_depthwise(layer: nn.Module) -> bool:
    """Return whether a layer convolves each channel separately, with one output per input."""
    if not isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED_CONVOLUTIONS)):
        return False
    return layer.groups == layer.in_channels == layer.out_channels > 1


def _is_instance_like(layer: nn.Module) -> bool:
    """Return whether a group norm has one group per channel."""
    return isinstance(layer, nn.GroupNorm) and layer.num_groups == layer.num_channels


def _linear(layer: Any, tensor: Tensor, per_channel: bool) -> Sizes:
    return {"out_features": tensor.shape[0], "in_features": tensor.shape[1]}


def _convolution(layer: Any, tensor: Tensor, per_channel: bool) -> Sizes:
    groups = len(tensor) if per_channel else layer.groups
    first, second = len(tensor), tensor.shape[1] * groups
    outputs, inputs = (second, first) if layer.transposed else (first, second)
    return {"groups": groups, "out_channels": outputs, "in_channels": inputs}


def _features(layer: Any, tensor: Tensor, per_channel: bool) -> Sizes:
    return {"num_features": len(tensor)}


def _group_norm(layer: Any, tensor: Tensor, per_channel: bool) -> Sizes:
    return {
        "num_channels": len(tensor),
        "num_groups": len(tensor) if per_channel else layer.num_groups,
    }


def _shape(layer: Any, tensor: Tensor, per_channel: bool) -> Sizes:
    return {"normalized_shape": tuple(tensor.shape)}


def _parameters(layer: Any, tensor: Tensor, per_channel: bool) -> Sizes:
    return {"num_parameters": len(tensor)}


SIZES: dict[tuple[type[nn.Module], ...], Callable[[Any, Tensor, bool], Sizes]] = {
    (nn.Linear,): _linear,
    (*CONVOLUTIONS, *TRANSPOSED_CONVOLUTIONS): _convolution,
    (*BATCH_NORMS, *INSTANCE_NORMS): _features,
    (nn.GroupNorm,): _group_norm,
    (nn.LayerNorm, nn.RMSNorm): _shape,
    (nn.PReLU,): _parameters,
}
"""For each layer type, a function that returns its size attributes.

Its arguments are the layer, a tensor that the layer runs on, and whether each channel is a group.
"""


class SizeTracker:
    """A forward pre-hook that updates the size attributes of its layer."""

    def __init__(self, layer: nn.Module) -> None:
        self.per_channel = is_depthwise(layer) or _is_instance_like(layer)
        self.sizes = next(sizes for kinds, sizes in SIZES.items() if isinstance(layer, kinds))

    def __call__(self, layer: nn.Module, inputs: Any) -> None:
        """Set the sizes that match the current tensors of the layer, or its inputs."""
        tensors = (getattr(layer, name, None) for name in ("weight", "running_mean"))
        tensor = next((t for t in tensors if t is not None), None)
        if tensor is not None:
            sizes = self.sizes(layer, tensor, self.per_channel)
        elif isinstance(layer, INSTANCE_NORMS) and inputs and isinstance(inputs[0], Tensor):
            sizes = {"num_features": inputs[0].shape[1]}
        else:
            return
        for attribute, size in sizes.items():
            setattr(layer, attribute, size)


def track_all_sizes(module: nn.Module) -> None:
    """Update the sizes of every layer of `module` whenever it runs."""
    for layer in module.modules():
        if any(isinstance(layer, kinds) for kinds in SIZES):
            layer.register_forward_pre_hook(SizeTracker(layer))


def fix_sizes(module: nn.Module) -> None:
    """Set the sizes of every layer from its current weights, and stop tracking them."""
    for layer in module.modules():
        for key, hook in list(layer._forward_pre_hooks.items()):  # noqa: SLF001 - has no public name
            if isinstance(hook, SizeTracker):
                hook(layer, ())
                del layer._forward_pre_hooks[key]  # noqa: SLF001


@contextmanager
def tracked_sizes(module: nn.Module) -> Iterator[None]:
    """Track the sizes of the layers of `module` inside the context, and restore them after."""
    saved = [(layer, dict(layer.__dict__)) for layer in module.modules()]
    track_all_sizes(module)
    try:
        yield
    finally:
        fix_sizes(module)
        for layer, attributes in saved:
            layer.__dict__.update(attributes)
