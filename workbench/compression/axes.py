"""Which axes of a tensor count outputs, and which inputs, where they are not the first and second.

Compression reads every tensor as [outputs, inputs, …]: a scale for each output, runs and blocks
along the inputs. Linear layers and convolutions hold their weights so. Transposed convolutions,
layers that compute x @ W, and the kernels of Keras do not: their tensors are turned before they
are compressed, and turned back when they are decoded.
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
    """The axes of a tensor that is turned to be compressed.

    Attributes
    ----------
    outputs : tuple of int
        The axes that count outputs, the last one fastest. They become the first axis.
    inputs : tuple of int
        The axes that count inputs, the last one fastest. They become the second axis, of length 1
        where there are none. All other axes, such as those of a convolution's kernel, follow in
        their order.
    groups : int
        Into how many equal parts the first of the `inputs` is cut, each of which has outputs of its
        own, as in a transposed convolution with groups. The number of the part counts outputs,
        slower than `outputs` do.
    """

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    groups: int = 1

    def shape(self, own: Sequence[int]) -> Shape:
        """Return the shape in which a tensor of the shape `own` is compressed."""
        rows = self.groups * prod(own[axis] for axis in self.outputs)
        columns = prod(own[axis] for axis in self.inputs) // self.groups
        return rows, columns, *(own[axis] for axis in self._others(len(own)))

    def fit(self, own: Sequence[int]) -> bool:
        """Return whether a tensor of the shape `own`, of two axes or more, has these axes."""
        known = sorted((*self.outputs, *self.inputs))
        if len(own) < 2 or len(set(known)) < len(known) or not {*known} <= {*range(len(own))}:
            return False
        if self.groups == 1:
            return True
        return bool(self.inputs) and self.groups > 0 and own[self.inputs[0]] % self.groups == 0

    def turned(self, tensor: Tensor) -> Tensor:
        """Return `tensor` as [outputs, inputs, …], contiguous; differentiable."""
        cut = tensor.reshape(self._cut(tensor.shape))
        return cut.permute(self._order(tensor.ndim)).reshape(self.shape(tensor.shape)).contiguous()

    def back(self, turned: Tensor, own: Sequence[int]) -> Tensor:
        """Undo `to_canonical` for a tensor of the shape `own`; contiguous and differentiable."""
        order = self._order(len(own))
        cut = self._cut(own)
        apart = turned.reshape([cut[axis] for axis in order])
        inverse = sorted(range(len(order)), key=order.__getitem__)
        return apart.permute(inverse).reshape(tuple(own)).contiguous()

    def as_list(self) -> list[Any]:
        """Return plain data for JSON."""
        return [list(self.outputs), list(self.inputs), self.groups]

    @classmethod
    def from_list(cls, data: Sequence[Any]) -> Axes:
        """Read what `as_list` wrote."""
        outputs, inputs, groups = data
        return cls(tuple(outputs), tuple(inputs), groups)

    def _others(self, ndim: int) -> list[int]:
        known = {*self.outputs, *self.inputs}
        return [axis for axis in range(ndim) if axis not in known]

    def _cut(self, own: Sequence[int]) -> list[int]:
        """Return the shape with the first of the inputs cut into two axes: groups and the rest."""
        if self.groups == 1:
            return list(own)
        at = self.inputs[0]
        return [*own[:at], self.groups, own[at] // self.groups, *own[at + 1 :]]

    def _order(self, ndim: int) -> list[int]:
        """Return the axes of the cut shape in the order in which they are compressed."""
        if self.groups == 1:
            return [*self.outputs, *self.inputs, *self._others(ndim)]
        at = self.inputs[0]
        rest = [*self.outputs, *self.inputs, *self._others(ndim)]
        return [at, *(axis + (axis >= at) for axis in rest)]


def is_canonical(axes: Axes, own: Sequence[int]) -> bool:
    """Return whether a tensor of the shape `own` is compressed as it is: [outputs, inputs, …]."""

    def counting(chosen: Sequence[int]) -> list[int]:
        return [axis for axis in chosen if own[axis] > 1]

    if axes.groups > 1 and own[axes.inputs[0]] != axes.groups:
        return False
    inputs = axes.inputs[1:] if axes.groups > 1 else axes.inputs
    outputs = (axes.inputs[0], *axes.outputs) if axes.groups > 1 else axes.outputs
    return counting(outputs) == counting([0]) and counting(inputs) == counting([1])


def to_canonical(weights: Mapping[str, Tensor], axes: Mapping[str, Axes]) -> Mapping[str, Tensor]:
    """Return `weights` with those that have `axes` turned; the very same where none has."""
    if not axes:
        return weights
    return {n: axes[n].turned(w) if n in axes else w for n, w in weights.items()}


def stats_to_canonical(stats: CalibrationStats, axes: Mapping[str, Axes]) -> CalibrationStats:
    """Return `evidence` of the tensors that `to_canonical` returns; moments are of inputs in any case."""
    if not axes or not stats.gradients:
        return stats
    return replace(stats, gradients=to_canonical(stats.gradients, axes))
