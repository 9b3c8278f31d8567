"""The layers of a small network as plain data, so that a file alone can build it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from workbench.custom.prediction.network_cost import NetworkCost, network_cost
from workbench.errors import ArtifactError, InputError

MAX_LAYERS = 100
MAX_SIZE = 2**20
"""The largest number of features or channels of a layer."""
MAX_KERNEL = 32
"""The largest kernel, stride, padding or pooled size of a layer."""

Layers = list[list[Any]]


@dataclass(frozen=True)
class _Kind:
    """How a kind of layer is described.

    Attributes
    ----------
    make : callable
        Makes the layer from its numbers, in the order of `fields`.
    fields : tuple of str
        Attributes of the layer: each one is a whole number, or a pair of equal ones.
    biased : bool
        Whether the last number says if the layer has a bias: 0 or 1.
    """

    cls: type[nn.Module]
    make: Callable[..., nn.Module]
    fields: tuple[str, ...] = ()
    biased: bool = False


def _linear(inputs: int, outputs: int, bias: int) -> nn.Module:
    return nn.Linear(inputs, outputs, bias=bool(bias))


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int, padding: int, groups: int, bias: int
) -> nn.Module:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=bool(bias))


def _dropout() -> nn.Module:
    return nn.Dropout()  # it does nothing when a network predicts


KINDS = {
    "linear": _Kind(nn.Linear, _linear, ("in_features", "out_features"), biased=True),
    "conv2d": _Kind(
        nn.Conv2d,
        _convolution,
        ("in_channels", "out_channels", "kernel_size", "stride", "padding", "groups"),
        biased=True,
    ),
    "batch_norm1d": _Kind(nn.BatchNorm1d, nn.BatchNorm1d, ("num_features",)),
    "batch_norm2d": _Kind(nn.BatchNorm2d, nn.BatchNorm2d, ("num_features",)),
    "max_pool2d": _Kind(nn.MaxPool2d, nn.MaxPool2d, ("kernel_size", "stride", "padding")),
    "avg_pool2d": _Kind(nn.AvgPool2d, nn.AvgPool2d, ("kernel_size", "stride", "padding")),
    "mean_pool2d": _Kind(nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool2d, ("output_size",)),
    "relu": _Kind(nn.ReLU, nn.ReLU),
    "gelu": _Kind(nn.GELU, nn.GELU),
    "flatten": _Kind(nn.Flatten, nn.Flatten),
    "dropout": _Kind(nn.Dropout, _dropout),
}
"""The kinds of layers that a file can describe, by the name that it uses."""
SIZES = ("in_features", "out_features", "num_features", "in_channels", "out_channels", "groups")
RANGES = {
    **dict.fromkeys(SIZES, (1, MAX_SIZE)),
    **dict.fromkeys(("kernel_size", "stride", "output_size"), (1, MAX_KERNEL)),
    "padding": (0, MAX_KERNEL),
    "bias": (0, 1),
}
"""The smallest and the largest value of each field."""


def describe_layers(module: nn.Module) -> Layers:
    """Return the layers of a sequential network as plain data.

    Returns
    -------
    list of list
        For each layer its kind and its numbers, such as ``["linear", 11, 64, 1]``.

    Raises
    ------
    InputError
        If the network is not sequential, or a layer is of another kind.
    """
    if type(module) is not nn.Sequential:
        raise InputError(
            f"A file can describe an nn.Sequential, not {type(module).__name__}.",
            code="network.not_sequential",
        )
    return [_describe(layer) for layer in module]


def _describe(layer: nn.Module) -> list[Any]:
    for name, kind in KINDS.items():
        if type(layer) is not kind.cls:
            continue
        numbers = [_number(getattr(layer, field)) for field in kind.fields]
        if kind.biased:
            numbers.append(int(layer.bias is not None))
        description = [name, *numbers]
        if _is_valid(description) and _are_equal(build_layers([description])[0], layer):
            return description
    raise InputError(f"A file cannot describe this layer: {layer!r}.", code="network.unknown_layer")


def _are_equal(described: nn.Module, layer: nn.Module) -> bool:
    """Whether two layers of one class compute the same in eval mode on the same tensors."""
    return isinstance(layer, nn.Dropout) or repr(described) == repr(layer)


def _number(value: Any) -> Any:
    """Return a pair of equal numbers as one number."""
    is_pair = isinstance(value, tuple) and len(set(value)) == 1
    return value[0] if is_pair else value


def check_layers(description: Sequence[Any], example: tuple[int, ...]) -> NetworkCost:
    """Check layers that come from a file, before anything is allocated.

    Parameters
    ----------
    description
        The layers.
    example
        The shape of one example, without the batch.

    Returns
    -------
    NetworkCost
        What the network costs.

    Raises
    ------
    ArtifactError
        If a layer is unknown or too large, or the layers do not fit together.
    """
    if not 0 < len(description) <= MAX_LAYERS or not all(map(_is_valid, description)):
        raise ArtifactError(
            "The file describes a network that this version does not know: upgrade Workbench.",
            code="artifact.unknown_network",
        )
    try:
        return network_cost(description, example)
    except ValueError as error:
        raise ArtifactError(
            "The layers that the file describes do not fit together: download or save it again.",
            code="artifact.invalid_network",
        ) from error


def build_layers(description: Layers) -> nn.Sequential:
    """Return the network of layers that were checked: on the meta device, without values."""
    with torch.device("meta"):
        return nn.Sequential(*map(_make, description)).eval()


def _make(description: Sequence[Any]) -> nn.Module:
    name, *numbers = description
    return KINDS[name].make(*numbers)


def _is_valid(layer: Any) -> bool:
    """Whether a layer is of a known kind, and its numbers are within the limits."""
    match layer:
        case [str(name), *numbers] if name in KINDS:
            fields = (*KINDS[name].fields, *(["bias"] if KINDS[name].biased else []))
            return len(numbers) == len(fields) and all(
                type(number) is int and RANGES[field][0] <= number <= RANGES[field][1]
                for field, number in zip(fields, numbers, strict=True)
            )
    return False
