"""Cross-layer equalisation (Nagel et al. 2019, arXiv 1906.04721, section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from workbench.compression.channels import Group
from workbench.compression.covariance import InputCovariance
from workbench.compression.stats import CalibrationStats

ROUNDS = 20
"""Passes over all pairs; a chain of layers settles in a few."""


@torch.no_grad()
def equalize(
    weights: Mapping[str, Tensor], pairs: Sequence[Group], stats: CalibrationStats
) -> tuple[dict[str, Tensor], CalibrationStats]:
    """Return `weights` in which the layers of each pair span like ranges, channel by channel.

    A channel that spans r₁ in the layer that makes it and r₂ in the one that takes it is divided
    by s = √(r₁ / r₂) in the first, bias included, and multiplied by s in the second: both then
    span √(r₁ · r₂). Between the two there may only be what commutes with a positive factor; the
    network then computes the same.
    """
    scales = [torch.ones(group.channels, dtype=torch.float64) for group in pairs]
    wide = {
        member.tensor: weights[member.tensor].double()
        for group in pairs
        for member in group.members
    }
    for _ in range(ROUNDS):
        for group, scale in zip(pairs, scales, strict=True):
            (maker,), (taker,) = group.with_role("makes"), group.with_role("takes")
            first = maker.per_channel(wide[maker.tensor]).abs().amax(dim=1)
            second = taker.per_channel(wide[taker.tensor]).abs().amax(dim=1)
            step = torch.where((first > 0) & (second > 0), (first / second).sqrt(), 1.0)
            scale.mul_(step)
            for member in group.members:
                by = step if member is taker else 1 / step
                wide[member.tensor] = member.times(wide[member.tensor], by)
    left = dict(weights)
    left |= {name: tensor.to(weights[name].dtype) for name, tensor in wide.items()}
    return left, _as_scaled(stats, pairs, scales, weights)


def _as_scaled(
    stats: CalibrationStats,
    pairs: Sequence[Group],
    scales: Sequence[Tensor],
    weights: Mapping[str, Tensor],
) -> CalibrationStats:
    """Return what would have been measured of the scaled network."""
    gradients, moments = dict(stats.gradients), dict(stats.moments)
    for group, scale in zip(pairs, scales, strict=True):
        for member in group.members:
            name, takes = member.tensor, member.role == "takes"
            if name in gradients:
                changed = member.times(gradients[name].double(), 1 / scale if takes else scale)
                gradients[name] = changed.to(gradients[name].dtype)
            if takes and name in moments:
                columns = member.times(torch.ones(weights[name].shape[1:]).unsqueeze(0), 1 / scale)
                by = columns.flatten()
                moments[name] = InputCovariance(
                    (moments[name].matrix * by * by.unsqueeze(1)).float()
                )
    return replace(stats, gradients=gradients, moments=moments)
