"""The shapes of a network's outputs, and what it costs, from its description alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

MAX_ACTIVATIONS = 2**22
"""The largest number of values that a layer may return for one example."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class NetworkCost:
    """What a network costs for one example.

    Attributes
    ----------
    macs : int
        Multiply-accumulates.
    activations : int
        The most values that a layer returns.
    """

    macs: int
    activations: int


def network_cost(layers: Sequence[Sequence[Any]], example: Shape) -> NetworkCost:
    """Return the cost of a network whose layers have known kinds and valid numbers.

    Parameters
    ----------
    layers
        As `describe_layers` returns them.
    example
        The shape of one example, without the batch: [features], or [channels, height, width].

    Raises
    ------
    ValueError
        If the layers do not fit together, or one returns more than `MAX_ACTIVATIONS` values.
    """
    shape, macs, activations = example, 0, prod(example)
    for name, *numbers in layers:
        shape, products = OUTPUTS.get(name, _unchanged)(shape, *numbers)
        macs += prod(shape) * products
        activations = max(activations, prod(shape))
        if not 0 < activations <= MAX_ACTIVATIONS:
            raise ValueError(name)
    return NetworkCost(macs, activations)


def _unchanged(shape: Shape) -> tuple[Shape, int]:
    return shape, 0


def _linear(shape: Shape, inputs: int, outputs: int, _bias: int) -> tuple[Shape, int]:
    _check(shape == (inputs,))
    return (outputs,), inputs


def _convolution(
    shape: Shape,
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int,
    padding: int,
    groups: int,
    _bias: int,
) -> tuple[Shape, int]:
    _check(len(shape) == 3 and shape[0] == inputs)
    _check(inputs % groups == outputs % groups == 0)
    sides = (_side(size, kernel, stride, padding) for size in shape[1:])
    return (outputs, *sides), inputs // groups * kernel**2


def _pool(shape: Shape, kernel: int, stride: int, padding: int) -> tuple[Shape, int]:
    _check(len(shape) == 3 and 2 * padding <= kernel)
    return (shape[0], *(_side(size, kernel, stride, padding) for size in shape[1:])), 0


def _mean_pool(shape: Shape, size: int) -> tuple[Shape, int]:
    _check(len(shape) == 3)
    return (shape[0], size, size), 0


def _norm(axes: int) -> Callable[..., tuple[Shape, int]]:
    def output(shape: Shape, features: int) -> tuple[Shape, int]:
        _check(len(shape) == axes and shape[0] == features)
        return shape, 0

    return output


def _flatten(shape: Shape) -> tuple[Shape, int]:
    return (prod(shape),), 0


def _side(size: int, kernel: int, stride: int, padding: int) -> int:
    _check(size + 2 * padding >= kernel)
    return (size + 2 * padding - kernel) // stride + 1


def _check(fits: bool) -> None:
    if not fits:
        raise ValueError("the layers do not fit together")


OUTPUTS: dict[str, Callable[..., tuple[Shape, int]]] = {
    "linear": _linear,
    "conv2d": _convolution,
    "max_pool2d": _pool,
    "avg_pool2d": _pool,
    "mean_pool2d": _mean_pool,
    "batch_norm1d": _norm(1),
    "batch_norm2d": _norm(3),
    "flatten": _flatten,
}
"""By the kind of a layer: the shape of its output from that of its input and its numbers, and the
multiply-accumulates for each of its values. Other kinds have no numbers and keep the shape."""
