"""Which tensors of a model are compressed, and which are stored as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from workbench.compression.axes import Axes
from workbench.compression.quantized_layers import quantized_layers


@dataclass(frozen=True)
class Roles:
    """The role of each tensor of a module, by name.

    All tensors that are neither `layers` nor `buffers` are parameters that are too small to
    compress, such as biases.

    Attributes
    ----------
    layers : tuple of str
        The tensors that recipes compress.
    buffers : frozenset of str
        The tensors that are not parameters, such as position tables and counters. They are stored
        bit by bit, whatever their dtype and values.
    axes : mapping of str to Axes
        The axes of the `layers` that are not in the canonical layout.
    """

    layers: tuple[str, ...]
    buffers: frozenset[str] = frozenset()
    axes: Mapping[str, Axes] = field(default_factory=dict)

    def permuted_axes(self, weights: Mapping[str, Tensor]) -> dict[str, Axes]:
        """Return the axes of those of `weights` that are not in the canonical layout.

        After channels are removed, a tensor may no longer divide into its groups. It is then
        compressed in the layout that it has.
        """
        return {
            name: axes
            for name, axes in self.axes.items()
            if name in weights and axes.matches(weights[name].shape)
        }

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Roles:
        """Infer the roles from the tensors alone."""
        return cls(compressible(weights))


def compressible(
    weights: Mapping[str, Tensor], buffers: Collection[str] = frozenset()
) -> tuple[str, ...]:
    """Return the names of the floating-point tensors with two or more dimensions, in order.

    Buffers are excluded. So are attention masks, which rounding would break, and the tensors of
    layers that another program has quantized.
    """
    quantized = quantized_layers(weights)
    return tuple(
        name
        for name, weight in weights.items()
        if weight.ndim >= 2
        and weight.is_floating_point()
        and name not in buffers
        and name not in quantized
        and not is_mask(weight)
    )


def is_mask(weight: Tensor) -> bool:
    """Return whether a tensor is an attention mask: only zeros and (nearly) infinite values."""
    if weight.is_meta or not weight.numel():
        return False
    largest = torch.finfo(weight.dtype).max
    low, high = weight.aminmax()
    if -largest < low and high < largest:  # the usual case needs only one pass
        return False
    blocked = weight.abs() >= largest
    return bool(blocked.any()) and bool((blocked | (weight == 0)).all())
