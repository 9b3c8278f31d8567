"""Permute a tensor's axes to the canonical layout [outputs, inputs, …] and back.

Compression reads every tensor in the canonical layout: one scale per output, runs and blocks along
the inputs. Linear layers and convolutions store their weights in it. Transposed convolutions,
layers that compute x @ W, and Keras kernels do not: their tensors are permuted before compression
and permuted back after decoding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from torch import Tensor

from workbench.compression.stats import CalibrationStats

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Axes:
    """The output and input axes of a tensor that is not in the canonical layout.

    Attributes
    ----------
    outputs : tuple of int
        The axes that count outputs, the last one fastest. They become the first axis.
    inputs : tuple of int
        The axes that count inputs, the last one fastest. They become the second axis, of length 1
        if there are none. All other axes, such as those of a convolution's kernel, follow in
        their order.
    groups : int
        The number of equal parts of the first of the `inputs`, each with its own outputs, as in a
        transposed convolution with groups. The part's number becomes the slowest output index.
    """

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    groups: int = 1

    def shape(self, shape: Sequence[int]) -> Shape:
        """Return the canonical shape of a tensor of `shape`."""
        rows = self.groups * prod(shape[axis] for axis in self.outputs)
        columns = prod(shape[axis] for axis in self.inputs) // self.groups
        return rows, columns, *(shape[axis] for axis in self._others(len(shape)))

    def matches(self, shape: Sequence[int]) -> bool:
        """Return whether these axes exist in a tensor of `shape`, which has at least two."""
        axes = sorted((*self.outputs, *self.inputs))
        if len(shape) < 2 or len(set(axes)) < len(axes) or not {*axes} <= {*range(len(shape))}:
            return False
        if self.groups == 1:
            return True
        return bool(self.inputs) and self.groups > 0 and shape[self.inputs[0]] % self.groups == 0

    def to_canonical(self, tensor: Tensor) -> Tensor:
        """Return `tensor` as [outputs, inputs, …], contiguous. Differentiable."""
        split = tensor.reshape(self._split(tensor.shape))
        order = self._order(tensor.ndim)
        return split.permute(order).reshape(self.shape(tensor.shape)).contiguous()

    def from_canonical(self, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """Undo `to_canonical` for a tensor of `shape`; contiguous. Differentiable."""
        order = self._order(len(shape))
        split_shape = self._split(shape)
        split = tensor.reshape([split_shape[axis] for axis in order])
        inverse = sorted(range(len(order)), key=order.__getitem__)
        return split.permute(inverse).reshape(tuple(shape)).contiguous()

    def as_list(self) -> list[Any]:
        """Return plain data for JSON."""
        return [list(self.outputs), list(self.inputs), self.groups]

    @classmethod
    def from_list(cls, data: Sequence[Any]) -> Axes:
        """Read the output of `as_list`."""
        outputs, inputs, groups = data
        return cls(tuple(outputs), tuple(inputs), groups)

    def _others(self, ndim: int) -> list[int]:
        used = {*self.outputs, *self.inputs}
        return [axis for axis in range(ndim) if axis not in used]

    def _split(self, shape: Sequence[int]) -> list[int]:
        """Return the shape with the first input axis split into two: groups and the rest."""
        if self.groups == 1:
            return list(shape)
        at = self.inputs[0]
        return [*shape[:at], self.groups, shape[at] // self.groups, *shape[at + 1 :]]

    def _order(self, ndim: int) -> list[int]:
        """Return the axes of the split shape in canonical order."""
        order = [*self.outputs, *self.inputs, *self._others(ndim)]
        if self.groups == 1:
            return order
        at = self.inputs[0]
        return [at, *(axis + (axis >= at) for axis in order)]


def is_canonical(axes: Axes, shape: Sequence[int]) -> bool:
    """Return whether a tensor of `shape` with `axes` is already in the canonical layout."""

    def longer_than_one(axes: Sequence[int]) -> list[int]:
        return [axis for axis in axes if shape[axis] > 1]

    if axes.groups > 1 and shape[axes.inputs[0]] != axes.groups:
        return False
    inputs = axes.inputs[1:] if axes.groups > 1 else axes.inputs
    outputs = (axes.inputs[0], *axes.outputs) if axes.groups > 1 else axes.outputs
    return longer_than_one(outputs) == longer_than_one([0]) and longer_than_one(
        inputs
    ) == longer_than_one([1])


def to_canonical(weights: Mapping[str, Tensor], axes: Mapping[str, Axes]) -> Mapping[str, Tensor]:
    """Permute those of `weights` that have `axes`; return the same mapping if none has."""
    if not axes:
        return weights
    return {n: axes[n].to_canonical(w) if n in axes else w for n, w in weights.items()}


def stats_to_canonical(stats: CalibrationStats, axes: Mapping[str, Axes]) -> CalibrationStats:
    """Permute the gradients of `stats` as `to_canonical` does; covariances need no change."""
    if not axes or not stats.gradients:
        return stats
    return replace(stats, gradients=to_canonical(stats.gradients, axes))
