"""Structured pruning: channels, filters and neurons taken out of every tensor that has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from workbench.compression.evidence import Evidence
from workbench.compression.moment import Moment
from workbench.compression.reconstruct import reconstruct
from workbench.recipe import Structure
from workbench.recipe.prune import NEEDS_MOMENTS

Role = Literal["makes", "follows", "takes"]


@dataclass(frozen=True, eq=False)
class Member:
    """A tensor that has the channels of a group along `axis`.

    Channel c is its entries `places[c]`; `places` is int64 [channels, entries of each]. The weights
    of a layer that puts the channels out ``makes`` them, those of one that gets them ``takes``
    them, and everything else, biases and batch norm, ``follows``.
    """

    tensor: str
    axis: int
    role: Role
    places: Tensor

    def of_each(self, tensor: Tensor) -> Tensor:
        """Return the entries of `tensor` that belong to each channel, [channels, ·]."""
        moved = tensor.movedim(self.axis, 0).flatten(1) if tensor.ndim > 1 else tensor.unsqueeze(1)
        return moved[self.places.flatten()].reshape(len(self.places), -1)

    def cut(self, tensor: Tensor, kept: Tensor) -> Tensor:
        """Return `tensor` with the channels `kept` alone."""
        return tensor.index_select(self.axis, self.places[kept].flatten())

    def times(self, tensor: Tensor, factors: Tensor) -> Tensor:
        """Return `tensor` with the entries of each channel multiplied by its factor."""
        along = torch.ones(tensor.shape[self.axis], dtype=factors.dtype)
        along[self.places.flatten()] = factors.repeat_interleave(self.places.shape[1])
        return tensor * along.view(-1, *[1] * (tensor.ndim - 1 - self.axis))


@dataclass(frozen=True, eq=False)
class Group:
    """Channels that can only go together, in every tensor that has them."""

    members: tuple[Member, ...]

    @property
    def channels(self) -> int:
        """How many there are."""
        return len(self.members[0].places)

    def having(self, role: Role) -> list[Member]:
        """Return the members of a role."""
        return [member for member in self.members if member.role == role]

    def left(self, channels: int) -> Group:
        """Return the group as it is once `channels` are left of it, numbered anew."""
        places = [
            torch.arange(channels * m.places.shape[1]).view(channels, -1) for m in self.members
        ]
        pairs = zip(self.members, places, strict=True)
        return Group(tuple(replace(member, places=new) for member, new in pairs))

    @property
    def makers(self) -> tuple[str, ...]:
        """The weights that put the channels out: the names a recipe knows the group by."""
        return tuple(member.tensor for member in self.having("makes"))


@dataclass(frozen=True, eq=False)
class Narrowed:
    """What is left: tensors, evidence and groups of the narrower network."""

    weights: dict[str, Tensor]
    evidence: Evidence
    groups: tuple[Group, ...]


@torch.no_grad()
def narrow(
    weights: Mapping[str, Tensor],
    groups: Sequence[Group],
    structure: Structure,
    evidence: Evidence,
) -> Narrowed:
    """Return `weights` without the channels that `structure` takes out of `groups`.

    Of each group, or of all where layers compete, `round(share · channels)` go, the least
    important first and among equals the first in order; the most important one of a group stays.

    Raises
    ------
    RecipeError
        When layers that are coupled are given different shares.
    """
    kept = _kept(weights, groups, structure, evidence)
    left = dict(weights)
    if structure.criterion in NEEDS_MOMENTS:
        left |= _made_good(weights, groups, kept, evidence)
    moments = dict(evidence.moments)
    gradients = dict(evidence.gradients)
    for group, chosen in zip(groups, kept, strict=True):
        if len(chosen) == group.channels:
            continue
        for member in group.members:
            name = member.tensor
            if member.role == "takes" and name in moments:
                inputs = _columns(member, left[name], chosen)
                moments[name] = Moment(moments[name].matrix[inputs][:, inputs])
            left[name] = member.cut(left[name], chosen)
            if name in gradients:
                gradients[name] = member.cut(gradients[name], chosen)
    return Narrowed(
        left,
        replace(evidence, gradients=gradients, moments=moments),
        tuple(group.left(len(chosen)) for group, chosen in zip(groups, kept, strict=True)),
    )


def asked(groups: Sequence[Group], structure: Structure) -> float:
    """Return the share of all channels of `groups` that `structure` asks to remove."""
    total = sum(group.channels for group in groups) or 1
    return sum(_share(group, structure) * group.channels for group in groups) / total


def _share(group: Group, structure: Structure) -> float:
    own = structure.share_of(group.makers)
    if own is not None:
        return own
    return 0.0 if structure.scope == "layer" else structure.removed


def _kept(
    weights: Mapping[str, Tensor],
    groups: Sequence[Group],
    structure: Structure,
    evidence: Evidence,
) -> list[Tensor]:
    """Return the numbers of the channels that stay, in order, for each group."""
    lot = torch.Generator().manual_seed(structure.seed)
    scores = [SCORES[structure.criterion](group, weights, evidence, lot) for group in groups]
    compete = [
        structure.scope == "global" and structure.share_of(group.makers) is None for group in groups
    ]
    pool = []
    for score, competes in zip(scores, compete, strict=True):
        if competes:
            relative = score / (float(score.mean()) or 1.0)
            relative[relative.argmax()] = torch.inf  # the last one stays
            pool.append(relative)
    together = torch.cat(pool) if pool else torch.zeros(0)
    among_all = iter(_survivors(together, structure.removed).split([len(one) for one in pool]))
    return [
        (next(among_all) if competes else _survivors(score, _share(group, structure)))
        .nonzero()
        .flatten()
        for group, score, competes in zip(groups, scores, compete, strict=True)
    ]


def _survivors(scores: Tensor, share: float) -> Tensor:
    """Return which of `scores` stay when the least `round(share · n)` go, but never all."""
    keep = torch.ones(len(scores), dtype=torch.bool)
    count = min(round(share * len(scores)), int(torch.isfinite(scores).sum()), len(scores) - 1)
    if count > 0:
        keep[scores.argsort(stable=True)[:count]] = False
    return keep


def _columns(member: Member, weight: Tensor, channels: Tensor) -> Tensor:
    """Return the inputs, as columns of `weight` flattened behind its rows, of `channels`."""
    numbers = torch.arange(weight[0].numel()).view(weight.shape[1:])
    return numbers.index_select(0, member.places[channels].flatten()).flatten()


def _made_good(
    weights: Mapping[str, Tensor],
    groups: Sequence[Group],
    kept: Sequence[Tensor],
    evidence: Evidence,
) -> dict[str, Tensor]:
    """Return the weights that take the channels, with what is kept making good for the rest."""
    found = {}
    for group, chosen in zip(groups, kept, strict=True):
        for member in group.having("takes"):
            moment = evidence.moments.get(member.tensor)
            if moment is None or len(chosen) == group.channels:
                continue
            rows = weights[member.tensor].flatten(1).float()
            mask = torch.zeros_like(rows, dtype=torch.bool)
            mask[:, _columns(member, weights[member.tensor], chosen)] = True
            better = reconstruct(rows, moment, mask)
            found[member.tensor] = better.view(weights[member.tensor].shape)
    return found


def _group_norm(
    group: Group, weights: Mapping[str, Tensor], evidence: Evidence, lot: torch.Generator
) -> Tensor:
    """Return the mean of w² over the layers and norms that share a channel, summed in each."""
    norms = [
        member.of_each(weights[member.tensor].double()).square().sum(dim=1)
        for member in group.members
        if member.role != "follows" or member.tensor.endswith(".weight")
    ]
    return torch.stack(norms).mean(dim=0)


def _magnitude(
    group: Group, weights: Mapping[str, Tensor], evidence: Evidence, lot: torch.Generator
) -> Tensor:
    """Return the mean of |w| over the weights that make a channel."""
    made = [
        member.of_each(weights[member.tensor].double().abs()) for member in group.having("makes")
    ]
    return torch.cat(made, dim=1).mean(dim=1)


def _gradient(
    group: Group, weights: Mapping[str, Tensor], evidence: Evidence, lot: torch.Generator
) -> Tensor:
    """Return the sum of |w · g| over the weights that make a channel."""
    made = [
        member.of_each((weights[member.tensor] * evidence.gradients[member.tensor]).double().abs())
        for member in group.having("makes")
    ]
    return torch.cat(made, dim=1).sum(dim=1)


def _curvature(
    group: Group, weights: Mapping[str, Tensor], evidence: Evidence, lot: torch.Generator
) -> Tensor:
    """Return what the next layers' outputs owe to a channel, as a share of each one's outputs.

    With w the weights of a channel in a layer that takes it and H the mean of x xᵀ over its
    inputs, wᵀ H w over all outputs; by group norm where there are no moments.
    """
    shares = []
    for member in group.having("takes"):
        moment = evidence.moments.get(member.tensor)
        if moment is None:
            continue
        weight = weights[member.tensor]
        rows = weight.flatten(1).double()
        whole = float(moment.output_error(rows).sum()) or 1.0
        matrix = moment.matrix.double()
        owed = []
        for channel in range(group.channels):
            inputs = _columns(member, weight, torch.tensor([channel]))
            part = rows[:, inputs]
            owed.append(((part @ matrix[inputs][:, inputs]) * part).sum() / whole)
        shares.append(torch.stack(owed))
    if not shares:
        return _group_norm(group, weights, evidence, lot)
    return torch.stack(shares).sum(dim=0)


def _random(
    group: Group, weights: Mapping[str, Tensor], evidence: Evidence, lot: torch.Generator
) -> Tensor:
    """Return a lot for each channel, the same on every platform."""
    return torch.rand(group.channels, generator=lot, dtype=torch.float64)


Score = Callable[[Group, Mapping[str, Tensor], Evidence, torch.Generator], Tensor]

SCORES: dict[str, Score] = {
    "group norm": _group_norm,
    "magnitude": _magnitude,
    "gradient": _gradient,
    "curvature": _curvature,
    "random": _random,
}
"""Scores of a group's channels by criterion, float64 [channels]: larger means keep."""
