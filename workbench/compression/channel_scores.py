"""Criteria of structured pruning: the importance of each channel of a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from workbench.compression.channels import Group, input_columns
from workbench.compression.stats import CalibrationStats


def _group_norm(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, rng: torch.Generator
) -> Tensor:
    """Return Σw² of each channel in a layer or norm, averaged over those that share it."""
    norms = [
        member.per_channel(weights[member.tensor].double()).square().sum(dim=1)
        for member in group.members
        if member.role != "follows"
    ]
    return torch.stack(norms).mean(dim=0)


def _magnitude(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, rng: torch.Generator
) -> Tensor:
    """Return the mean of |w| over the weights that produce a channel."""
    sizes = [
        member.per_channel(weights[member.tensor].double().abs())
        for member in group.with_role("makes")
    ]
    return torch.cat(sizes, dim=1).mean(dim=1)


def _gradient(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, rng: torch.Generator
) -> Tensor:
    """Return the sum of |w · g| over the weights that produce a channel."""
    terms = [
        member.per_channel((weights[member.tensor] * stats.gradients[member.tensor]).double().abs())
        for member in group.with_role("makes")
    ]
    return torch.cat(terms, dim=1).sum(dim=1)


def _curvature(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, rng: torch.Generator
) -> Tensor:
    """Return a channel's contribution to the next layers' outputs, relative to all channels.

    It is wᵀ H w, where w is the channel's weights in a layer that takes it and H the mean of x xᵀ
    over that layer's inputs, divided by the same term for all channels. If no layer has a
    covariance, it is the group norm.
    """
    contributions = []
    for member in group.with_role("takes"):
        covariance = stats.covariances.get(member.tensor)
        if covariance is None:
            continue
        weight = weights[member.tensor]
        rows = weight.flatten(1).double()
        total = float(covariance.output_error(rows).sum()) or 1.0
        matrix = covariance.matrix.double()
        terms = []
        for channel in range(group.channels):
            columns = input_columns(weight, member.places[channel])
            part = rows[:, columns]
            terms.append(((part @ matrix[columns][:, columns]) * part).sum() / total)
        contributions.append(torch.stack(terms))
    if not contributions:
        return _group_norm(group, weights, stats, rng)
    return torch.stack(contributions).sum(dim=0)


def _random(
    group: Group, weights: Mapping[str, Tensor], stats: CalibrationStats, rng: torch.Generator
) -> Tensor:
    """Return a random number for each channel, the same on every platform."""
    return torch.rand(group.channels, generator=rng, dtype=torch.float64)


Score = Callable[[Group, Mapping[str, Tensor], CalibrationStats, torch.Generator], Tensor]

SCORES: dict[str, Score] = {
    "group_norm": _group_norm,
    "magnitude": _magnitude,
    "gradient": _gradient,
    "curvature": _curvature,
    "random": _random,
}
"""Importance of a group's channels by criterion, float64 [channels]: larger means keep."""
