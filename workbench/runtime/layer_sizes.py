"""Layers that hold sizes of their own, and how these follow the weights that a layer is lent.

Most layers take their sizes from their tensors when they run. Convolutions in groups and norms do
not: they hold a number of groups or a shape, which is wrong once channels are gone.
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
    """Return whether a layer convolves each channel alone: one in, one out."""
    if not isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED_CONVOLUTIONS)):
        return False
    return layer.groups == layer.in_channels == layer.out_channels > 1


def normalizes_each(layer: nn.Module) -> bool:
    """Return whether a group norm has as many groups as channels."""
    return isinstance(layer, nn.GroupNorm) and layer.num_groups == layer.num_channels


def _linear(layer: Any, tensor: Tensor, alone: bool) -> Sizes:
    return {"out_features": tensor.shape[0], "in_features": tensor.shape[1]}


def _convolution(layer: Any, tensor: Tensor, alone: bool) -> Sizes:
    groups = len(tensor) if alone else layer.groups
    first, second = len(tensor), tensor.shape[1] * groups
    outputs, inputs = (second, first) if layer.transposed else (first, second)
    return {"groups": groups, "out_channels": outputs, "in_channels": inputs}


def _features(layer: Any, tensor: Tensor, alone: bool) -> Sizes:
    return {"num_features": len(tensor)}


def _group_norm(layer: Any, tensor: Tensor, alone: bool) -> Sizes:
    return {
        "num_channels": len(tensor),
        "num_groups": len(tensor) if alone else layer.num_groups,
    }


def _shape(layer: Any, tensor: Tensor, alone: bool) -> Sizes:
    return {"normalized_shape": tuple(tensor.shape)}


def _parameters(layer: Any, tensor: Tensor, alone: bool) -> Sizes:
    return {"num_parameters": len(tensor)}


SIZES: dict[tuple[type[nn.Module], ...], Callable[[Any, Tensor, bool], Sizes]] = {
    (nn.Linear,): _linear,
    (*CONVOLUTIONS, *TRANSPOSED_CONVOLUTIONS): _convolution,
    (*BATCH_NORMS, *INSTANCE_NORMS): _features,
    (nn.GroupNorm,): _group_norm,
    (nn.LayerNorm, nn.RMSNorm): _shape,
    (nn.PReLU,): _parameters,
}
"""What a layer of each kind holds, given a tensor that it is lent.

The last argument says whether each of its channels is a group of its own.
"""


class SizeTracker:
    """A hook that sets the sizes of `layer` before it runs, or before another runs in its place."""

    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer
        self.alone = is_depthwise(layer) or normalizes_each(layer)
        self.sizes = next(sizes for kinds, sizes in SIZES.items() if isinstance(layer, kinds))

    def __call__(self, runs: nn.Module, inputs: Any) -> None:
        """Set the sizes that go with the tensors that `runs` holds, or takes, at the moment."""
        held = (getattr(runs, name, None) for name in ("weight", "running_mean"))
        tensor = next((one for one in held if one is not None), None)
        if tensor is not None:
            sizes = self.sizes(self.layer, tensor, self.alone)
        elif isinstance(self.layer, INSTANCE_NORMS) and inputs and isinstance(inputs[0], Tensor):
            sizes = {"num_features": inputs[0].shape[1]}
        else:
            return
        for attribute, size in sizes.items():
            setattr(self.layer, attribute, size)


def track_sizes(layer: nn.Module, runs: nn.Module | None = None) -> None:
    """Let the sizes of `layer` follow its weights, or those of the module that `runs` it."""
    if any(isinstance(layer, kinds) for kinds in SIZES):
        (runs or layer).register_forward_pre_hook(SizeTracker(layer))


def track_all_sizes(module: nn.Module) -> None:
    """Let the sizes of every layer of `module` follow its weights."""
    for layer in module.modules():
        track_sizes(layer)


def fix_sizes(module: nn.Module) -> None:
    """Give every layer the sizes that go with the weights it has, and let them follow no more."""
    for runs in module.modules():
        for key, hook in list(runs._forward_pre_hooks.items()):  # noqa: SLF001 - has no public name
            if isinstance(hook, SizeTracker):
                hook(runs, ())
                del runs._forward_pre_hooks[key]  # noqa: SLF001


@contextmanager
def tracked_sizes(module: nn.Module) -> Iterator[None]:
    """Let the sizes of the layers of `module` follow their weights for a while."""
    before = [(layer, dict(layer.__dict__)) for layer in module.modules()]
    track_all_sizes(module)
    try:
        yield
    finally:
        fix_sizes(module)
        for layer, own in before:
            layer.__dict__.update(own)
