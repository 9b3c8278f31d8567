"""Which tensors of a model are compressed, and which are stored as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from workbench.compression.axes import Axes


@dataclass(frozen=True)
class Roles:
    """What the tensors of a module are, by name.

    Attributes
    ----------
    layers : tuple of str
        The tensors that recipes compress.
    buffers : frozenset of str
        What is no parameter, such as position tables and counters: stored bit by bit, whatever its
        dtype and values. All other tensors are parameters too small to compress, such as biases.
    axes : mapping of str to Axes
        Those of the `layers` that are turned before they are compressed.
    """

    layers: tuple[str, ...]
    buffers: frozenset[str] = frozenset()
    axes: Mapping[str, Axes] = field(default_factory=dict)

    def permuted_axes(self, weights: Mapping[str, Tensor]) -> dict[str, Axes]:
        """Return the axes of those of `weights` that are turned.

        Where channels were removed, a tensor may no longer be cut into its groups: it is not.
        """
        return {
            n: axes for n, axes in self.axes.items() if n in weights and axes.fit(weights[n].shape)
        }

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Roles:
        """Return the roles of tensors of which nothing is known but their values."""
        return cls(compressible(weights))


def compressible(
    weights: Mapping[str, Tensor], buffers: Collection[str] = frozenset()
) -> tuple[str, ...]:
    """Return the names of the floating-point tensors with two or more dimensions, in order.

    Buffers are none of them, and neither are masks: what attention may not see would be seen after
    rounding.
    """
    return tuple(
        name
        for name, weight in weights.items()
        if weight.ndim >= 2
        and weight.is_floating_point()
        and name not in buffers
        and not is_mask(weight)
    )


def is_mask(weight: Tensor) -> bool:
    """Return whether a floating-point tensor holds zeros and infinities, or nearly those, alone."""
    if weight.is_meta or not weight.numel():
        return False
    most = torch.finfo(weight.dtype).max
    low, high = weight.aminmax()
    if -most < low and high < most:  # nearly always, after one look
        return False
    blocked = weight.abs() >= most
    return bool(blocked.any()) and bool((blocked | (weight == 0)).all())
