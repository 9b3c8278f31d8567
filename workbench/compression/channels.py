"""Groups of coupled channels: which entries of which tensors belong to each channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

Role = Literal["makes", "scales", "follows", "takes"]
Axis = tuple[str, int]
"""A tensor's name and the number of one of its axes."""


@dataclass(frozen=True, eq=False)
class Member:
    """A tensor that has the channels of a group along one axis.

    Attributes
    ----------
    tensor : str
        The tensor's name.
    axis : int
        The axis along which it has the channels.
    role : str
        ``makes``: the weight of a layer whose outputs are the channels. ``takes``: the weight of a
        layer whose inputs are the channels. ``scales``: the scale of a batch or layer norm.
        ``follows``: everything else, such as a bias. A depthwise convolution has the same input
        and output channels; its role is ``makes``.
    places : Tensor
        int64 [channels, entries per channel]: channel c is the entries `places[c]` of the axis.
    """

    tensor: str
    axis: int
    role: Role
    places: Tensor

    def per_channel(self, tensor: Tensor) -> Tensor:
        """Return the entries of `tensor` that belong to each channel, [channels, ·]."""
        moved = tensor.movedim(self.axis, 0).flatten(1) if tensor.ndim > 1 else tensor.unsqueeze(1)
        return moved[self.places.flatten()].reshape(len(self.places), -1)

    def kept_entries(self, size: int, remaining: Tensor) -> Tensor:
        """Return a mask of the axis, which has `size` entries, if only `remaining` channels stay.

        Entries that belong to no channel of this group stay too: where layers are concatenated,
        they may belong to another group.
        """
        mask = torch.ones(size, dtype=torch.bool)
        mask[self.places.flatten()] = False
        mask[self.places[remaining].flatten()] = True
        return mask

    def cut(self, tensor: Tensor, remaining: Tensor) -> Tensor:
        """Return `tensor` with only the `remaining` channels."""
        mask = self.kept_entries(tensor.shape[self.axis], remaining)
        return tensor.index_select(self.axis, mask.nonzero().flatten())

    def gather_channels(self, tensor: Tensor, source: Tensor) -> Tensor:
        """Return `tensor` with the entries of channel `source[c]` in each channel c."""
        order = torch.arange(tensor.shape[self.axis])
        order[self.places] = self.places[source]
        return tensor.index_select(self.axis, order)

    def times(self, tensor: Tensor, factors: Tensor) -> Tensor:
        """Return `tensor` with the entries of each channel multiplied by its factor."""
        per_entry = torch.ones(tensor.shape[self.axis], dtype=factors.dtype)
        per_entry[self.places.flatten()] = factors.repeat_interleave(self.places.shape[1])
        return tensor * per_entry.view(-1, *[1] * (tensor.ndim - 1 - self.axis))


@dataclass(frozen=True, eq=False)
class Group:
    """Channels that can only be removed together, from every tensor that has them.

    Where a layer works on blocks of channels (a grouped convolution, a group norm), every block has
    to lose the same number: a channel of the group is then one channel of each block. The first
    member is the weight of a layer whose outputs are the channels of this group only.
    """

    members: tuple[Member, ...]

    @property
    def channels(self) -> int:
        """The number of channels."""
        return len(self.members[0].places)

    @property
    def outputs(self) -> int:
        """The number of outputs of the first layer."""
        return self.members[0].places.numel()

    def with_role(self, role: Role) -> list[Member]:
        """Return the members that have `role`."""
        return [member for member in self.members if member.role == role]

    def restricted(self, remaining: Tensor, masks: Mapping[Axis, Tensor]) -> Group:
        """Return the group with the `remaining` channels, numbered after removal by `masks`."""
        return Group(
            tuple(
                replace(m, places=(masks[m.tensor, m.axis].cumsum(0) - 1)[m.places[remaining]])
                for m in self.members
            )
        )

    @property
    def producers(self) -> tuple[str, ...]:
        """The weights of the layers whose outputs are the channels; recipes name these."""
        return tuple(member.tensor for member in self.with_role("makes"))


@dataclass(frozen=True)
class UnprunedLayers:
    """Coupled layers that keep all channels, and the reason.

    Attributes
    ----------
    layers : tuple of str
        Their weights.
    reason : str
        ``output``: the channels are the network's outputs. ``kind``: they belong to, or pass
        through, a kind of layer that cannot lose channels. ``between``: an operation between these
        layers and the next mixes the channels. ``fails``: a trial network with fewer of them
        does not run. ``unseen``: the layer is never called. ``graph``: the network cannot be
        traced.
    detail : str
        The names of the kinds or operations, or the first line of the error; else empty.
    """

    layers: tuple[str, ...]
    reason: Literal["output", "kind", "between", "fails", "unseen", "graph"]
    detail: str = ""


def kept_entries(
    weights: Mapping[str, Tensor], groups: Sequence[Group], remaining: Sequence[Tensor]
) -> dict[Axis, Tensor]:
    """Return a boolean mask (True: keep) for each axis that has channels of any of `groups`.

    The input axis of a layer that reads a concatenation has channels of several groups.
    """
    masks: dict[Axis, Tensor] = {}
    for group, channels in zip(groups, remaining, strict=True):
        for member in group.members:
            mask = member.kept_entries(weights[member.tensor].shape[member.axis], channels)
            key = member.tensor, member.axis
            masks[key] = masks[key] & mask if key in masks else mask
    return masks


def input_columns(weight: Tensor, entries: Tensor) -> Tensor:
    """Return the columns of `weight`, flattened to rows, that hold `entries` of its axis 1."""
    columns = torch.arange(weight[0].numel()).view(weight.shape[1:])
    return columns.index_select(0, entries).flatten()
