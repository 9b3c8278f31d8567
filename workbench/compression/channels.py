"""Structured pruning: channels, filters and neurons taken out of every tensor that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Literal

import torch
from torch import Tensor

from workbench.compression.compensate import compensate
from workbench.compression.covariance import InputCovariance
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Structure
from workbench.recipe.prune import NEEDS_COVARIANCE

Role = Literal["makes", "scales", "follows", "takes"]
Axis = tuple[str, int]
"""A tensor's name and the number of one of its axes."""


@dataclass(frozen=True, eq=False)
class Member:
    """A tensor that has the channels of a group along `axis`.

    Channel c is its entries `places[c]`; `places` is int64 [channels, entries of each]. The weights
    of a layer that puts the channels out ``makes`` them, those of one that gets them ``takes``
    them, the factors of batch and layer norm ``scales`` them, and everything else, such as biases,
    ``follows``. A depthwise convolution takes and puts out the same channels: it ``makes`` them.
    """

    tensor: str
    axis: int
    role: Role
    places: Tensor

    def per_channel(self, tensor: Tensor) -> Tensor:
        """Return the entries of `tensor` that belong to each channel, [channels, ·]."""
        moved = tensor.movedim(self.axis, 0).flatten(1) if tensor.ndim > 1 else tensor.unsqueeze(1)
        return moved[self.places.flatten()].reshape(len(self.places), -1)

    def kept_entries(self, size: int, kept: Tensor) -> Tensor:
        """Return which of the `size` entries of the axis stay when of the channels only `kept` do.

        Entries of no channel stay: others may have theirs beside them, where layers are joined.
        """
        flags = torch.ones(size, dtype=torch.bool)
        flags[self.places.flatten()] = False
        flags[self.places[kept].flatten()] = True
        return flags

    def cut(self, tensor: Tensor, kept: Tensor) -> Tensor:
        """Return `tensor` with the channels `kept` alone."""
        flags = self.kept_entries(tensor.shape[self.axis], kept)
        return tensor.index_select(self.axis, flags.nonzero().flatten())

    def gather_channels(self, tensor: Tensor, source: Tensor) -> Tensor:
        """Return `tensor` in which each channel c has the entries of channel `source[c]`."""
        order = torch.arange(tensor.shape[self.axis])
        order[self.places] = self.places[source]
        return tensor.index_select(self.axis, order)

    def times(self, tensor: Tensor, factors: Tensor) -> Tensor:
        """Return `tensor` with the entries of each channel multiplied by its factor."""
        along = torch.ones(tensor.shape[self.axis], dtype=factors.dtype)
        along[self.places.flatten()] = factors.repeat_interleave(self.places.shape[1])
        return tensor * along.view(-1, *[1] * (tensor.ndim - 1 - self.axis))


@dataclass(frozen=True, eq=False)
class Group:
    """Channels that can only go together, in every tensor that has them.

    Where a layer works on blocks of channels (a grouped convolution, a group norm), every block has
    to lose as many: what counts as a channel here is then one of each block. The first member is
    the weight of a layer that puts out the channels of this group alone.
    """

    members: tuple[Member, ...]

    @property
    def channels(self) -> int:
        """How many there are."""
        return len(self.members[0].places)

    @property
    def outputs(self) -> int:
        """How many outputs of the first layer they are."""
        return self.members[0].places.numel()

    def with_role(self, role: Role) -> list[Member]:
        """Return the members of a role."""
        return [member for member in self.members if member.role == role]

    def left(self, kept: Tensor, stay: Mapping[Axis, Tensor]) -> Group:
        """Return the group with the channels `kept`, numbered among the entries that `stay`."""
        return Group(
            tuple(
                replace(m, places=(stay[m.tensor, m.axis].cumsum(0) - 1)[m.places[kept]])
                for m in self.members
            )
        )

    @property
    def producers(self) -> tuple[str, ...]:
        """The weights that put the channels out: the names a recipe knows the group by."""
        return tuple(member.tensor for member in self.with_role("makes"))


@dataclass(frozen=True)
class UnprunedLayers:
    """Layers that keep all channels, and what prevents that they lose any.

    Attributes
    ----------
    layers : tuple of str
        Their weights, which are coupled.
    why : str
        ``output``: the channels are the network's own outputs; ``kind``: they pass through, or are
        those of, a kind of layer that loses none; ``between``: what lies between these layers and
        the next mixes them; ``fails``: the network without some of them, tried, does not run;
        ``unseen``: the layer is not called; ``graph``: the network cannot be followed.
    what : str
        The names of the kinds or operations, or the first line of the error; else empty.
    """

    layers: tuple[str, ...]
    reason: Literal["output", "kind", "between", "fails", "unseen", "graph"]
    what: str = ""


@dataclass(frozen=True, eq=False)
class ReducedNetwork:
    """What is left: tensors, evidence and groups of the narrower network."""

    weights: dict[str, Tensor]
    stats: CalibrationStats
    groups: tuple[Group, ...]


@torch.no_grad()
def remove_channels(
    weights: Mapping[str, Tensor],
    groups: Sequence[Group],
    structure: Structure,
    stats: CalibrationStats,
) -> ReducedNetwork:
    """Return `weights` without the channels that `structure` takes out of `groups`.

    Of each group, or of all where layers compete, `round(share · channels)` go, the least
    important first and among equals the first in order; the most important one of a group stays.
    Where any go, the nearest multiple of `structure.multiple` stays, or all if that is more.

    Raises
    ------
    RecipeError
        When layers that are coupled are given different shares.
    """
    kept = _kept(weights, groups, structure, stats)
    left = dict(weights)
    if structure.criterion in NEEDS_COVARIANCE:
        left |= _made_good(weights, groups, kept, stats)
    moments = dict(stats.moments)
    gradients = dict(stats.gradients)
    stay = kept_entries(weights, groups, kept)
    takers = _takers(groups)
    for (name, axis), flags in stay.items():
        if bool(flags.all()):
            continue
        entries = flags.nonzero().flatten()
        if (name, axis) in takers and name in moments:
            inputs = _inputs(weights[name], entries)
            moments[name] = InputCovariance(moments[name].matrix[inputs][:, inputs])
        left[name] = left[name].index_select(axis, entries)
        if name in gradients:
            gradients[name] = gradients[name].index_select(axis, entries)
    return ReducedNetwork(
        left,
        replace(stats, gradients=gradients, moments=moments),
        tuple(group.left(chosen, stay) for group, chosen in zip(groups, kept, strict=True)),
    )


def requested_fraction(groups: Sequence[Group], structure: Structure) -> float:
    """Return the share of all channels of `groups` that `structure` asks to remove."""
    total = sum(group.outputs for group in groups) or 1
    return (
        sum(removed_fraction(group.producers, structure) * group.outputs for group in groups)
        / total
    )


def removed_fraction(coupled: Iterable[str], structure: Structure) -> float:
    """Return the share of their channels that coupled layers are asked to lose.

    Raises
    ------
    RecipeError
        When they are given different shares.
    """
    own = structure.layer_fraction(coupled)
    if own is not None:
        return own
    return 0.0 if structure.scope == "layer" else structure.removed


def _kept(
    weights: Mapping[str, Tensor],
    groups: Sequence[Group],
    structure: Structure,
    stats: CalibrationStats,
) -> list[Tensor]:
    """Return the numbers of the channels that stay, in order, for each group."""
    lot = torch.Generator().manual_seed(structure.seed)
    scores = [SCORES[structure.criterion](group, weights, stats, lot) for group in groups]
    compete = [
        structure.scope == "global" and structure.layer_fraction(group.producers) is None
        for group in groups
    ]
    pool, counts = [], []
    for score, group, competes in zip(scores, groups, compete, strict=True):
        if competes:
            relative = score / (float(score.mean()) or 1.0)
            relative[relative.argmax()] = torch.inf  # the last one stays
            pool.append(relative)
            counts.append(torch.full(score.shape, group.outputs // group.channels))
    together = torch.cat(pool) if pool else torch.zeros(0)
    each = torch.cat(counts) if counts else torch.zeros(0, dtype=torch.int64)
    among_all = iter(_among_all(together, each, structure).split([len(one) for one in pool]))
    stay = [
        next(among_all)
        if competes
        else _survivors(score, removed_fraction(group.producers, structure))
        for group, score, competes in zip(groups, scores, compete, strict=True)
    ]
    return [
        _in_multiples(keep, score, group, structure.multiple).nonzero().flatten()
        for keep, score, group in zip(stay, scores, groups, strict=True)
    ]


def _among_all(scores: Tensor, each: Tensor, structure: Structure) -> Tensor:
    """Return which of the competing `scores` stay, of which each stands for so many channels."""
    if bool((each == 1).all()):
        return _survivors(scores, structure.removed)
    order = scores.argsort(stable=True)
    gone = each[order].cumsum(0)
    wanted = structure.removed * int(each.sum())
    keep = torch.ones(len(scores), dtype=torch.bool)
    taken = order[(gone - each[order] / 2 <= wanted) & torch.isfinite(scores[order])]
    keep[taken] = False
    return keep


def _survivors(scores: Tensor, share: float) -> Tensor:
    """Return which of `scores` stay when the least `round(share · n)` go, but never all."""
    keep = torch.ones(len(scores), dtype=torch.bool)
    count = min(round(share * len(scores)), int(torch.isfinite(scores).sum()), len(scores) - 1)
    if count > 0:
        keep[scores.argsort(stable=True)[:count]] = False
    return keep


def _in_multiples(keep: Tensor, scores: Tensor, group: Group, multiple: int) -> Tensor:
    """Return which channels stay when the outputs that do are a multiple, as near as can be.

    At least one multiple stays, all channels where that is no fewer, and a group that loses none
    loses none.
    """
    each = group.outputs // group.channels
    step = multiple // gcd(multiple, each)
    left, whole = int(keep.sum()), len(keep)
    nearest = max(1, (2 * left + step) // (2 * step)) * step
    if step == 1 or left == whole:
        return keep
    rounded = torch.ones(whole, dtype=torch.bool)
    rounded[scores.argsort(stable=True)[: max(0, whole - nearest)]] = False
    return rounded


def kept_entries(
    weights: Mapping[str, Tensor], groups: Sequence[Group], kept: Sequence[Tensor]
) -> dict[Axis, Tensor]:
    """Return which entries stay along each axis that has channels of any of the groups.

    A layer that takes several layers' channels side by side has those of several groups.
    """
    found: dict[Axis, Tensor] = {}
    for group, chosen in zip(groups, kept, strict=True):
        for member in group.members:
            flags = member.kept_entries(weights[member.tensor].shape[member.axis], chosen)
            key = member.tensor, member.axis
            found[key] = found[key] & flags if key in found else flags
    return found


def _takers(groups: Sequence[Group]) -> set[Axis]:
    """Return the second axes that take channels: moments are of those alone.

    A parameter that computes x @ W has the channels that it puts out there.
    """
    members = (member for group in groups for member in group.with_role("takes"))
    return {(member.tensor, member.axis) for member in members if member.axis == 1}


def _inputs(weight: Tensor, entries: Tensor) -> Tensor:
    """Return the columns of `weight`, flattened behind its rows, of `entries` of its axis 1."""
    numbers = torch.arange(weight[0].numel()).view(weight.shape[1:])
    return numbers.index_select(0, entries).flatten()


def _made_good(
    weights: Mapping[str, Tensor],
    groups: Sequence[Group],
    kept: Sequence[Tensor],
    stats: CalibrationStats,
) -> dict[str, Tensor]:
    """Return the weights that take the channels, with what is kept making good for the rest."""
    found = {}
    takers = _takers(groups)
    for (name, axis), flags in kept_entries(weights, groups, kept).items():
        moment = stats.moments.get(name)
        if (name, axis) not in takers or moment is None or bool(flags.all()):
            continue
        rows = weights[name].flatten(1).float()
        mask = torch.zeros_like(rows, dtype=torch.bool)
        mask[:, _inputs(weights[name], flags.nonzero().flatten())] = True
        found[name] = compensate(rows, moment, mask).view(weights[name].shape)
    return found


def _group_norm(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, lot: torch.Generator
) -> Tensor:
    """Return the mean of w² over the layers and norms that share a channel, summed in each."""
    norms = [
        member.per_channel(weights[member.tensor].double()).square().sum(dim=1)
        for member in group.members
        if member.role != "follows"
    ]
    return torch.stack(norms).mean(dim=0)


def _magnitude(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, lot: torch.Generator
) -> Tensor:
    """Return the mean of |w| over the weights that make a channel."""
    made = [
        member.per_channel(weights[member.tensor].double().abs())
        for member in group.with_role("makes")
    ]
    return torch.cat(made, dim=1).mean(dim=1)


def _gradient(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, lot: torch.Generator
) -> Tensor:
    """Return the sum of |w · g| over the weights that make a channel."""
    made = [
        member.per_channel((weights[member.tensor] * stats.gradients[member.tensor]).double().abs())
        for member in group.with_role("makes")
    ]
    return torch.cat(made, dim=1).sum(dim=1)


def _curvature(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, lot: torch.Generator
) -> Tensor:
    """Return what the next layers' outputs owe to a channel, as a share of each one's outputs.

    With w the weights of a channel in a layer that takes it and H the mean of x xᵀ over its
    inputs, wᵀ H w over all outputs; by group norm where there are no moments.
    """
    shares = []
    for member in group.with_role("takes"):
        moment = stats.moments.get(member.tensor)
        if moment is None:
            continue
        weight = weights[member.tensor]
        rows = weight.flatten(1).double()
        whole = float(moment.output_error(rows).sum()) or 1.0
        matrix = moment.matrix.double()
        owed = []
        for channel in range(group.channels):
            inputs = _inputs(weight, member.places[channel])
            part = rows[:, inputs]
            owed.append(((part @ matrix[inputs][:, inputs]) * part).sum() / whole)
        shares.append(torch.stack(owed))
    if not shares:
        return _group_norm(group, weights, stats, lot)
    return torch.stack(shares).sum(dim=0)


def _random(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, lot: torch.Generator
) -> Tensor:
    """Return a lot for each channel, the same on every platform."""
    return torch.rand(group.channels, generator=lot, dtype=torch.float64)


Score = Callable[[Group, Mapping[str, Tensor], CalibrationStats, torch.Generator], Tensor]

SCORES: dict[str, Score] = {
    "group norm": _group_norm,
    "magnitude": _magnitude,
    "gradient": _gradient,
    "curvature": _curvature,
    "random": _random,
}
"""Scores of a group's channels by criterion, float64 [channels]: larger means keep."""
