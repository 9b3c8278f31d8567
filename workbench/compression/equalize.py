"""Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721, section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from workbench.compression.channels import Group
from workbench.compression.covariance import InputCovariance
from workbench.compression.stats import CalibrationStats

ROUNDS = 20
"""Passes over all pairs; a chain of layers converges within a few."""


@torch.no_grad()
def equalize(
    weights: Mapping[str, Tensor], pairs: Sequence[Group], stats: CalibrationStats
) -> tuple[dict[str, Tensor], CalibrationStats]:
    """Equalize the per-channel weight ranges of the two layers of each pair.

    A channel with range r₁ in the layer that produces it and r₂ in the layer that takes it is
    divided by s = √(r₁ / r₂) in the first, bias included, and multiplied by s in the second. Both
    ranges become √(r₁ · r₂). All operations between the two layers have to commute with a positive
    factor, such as ReLU; the outputs of the network then stay the same.

    Returns
    -------
    tuple of dict and CalibrationStats
        The scaled weights, and the statistics of the scaled network.
    """
    scales = [torch.ones(group.channels, dtype=torch.float64) for group in pairs]
    scaled = {
        member.tensor: weights[member.tensor].double()
        for group in pairs
        for member in group.members
    }
    for _ in range(ROUNDS):
        for group, scale in zip(pairs, scales, strict=True):
            (producer,), (consumer,) = group.with_role("makes"), group.with_role("takes")
            first = producer.per_channel(scaled[producer.tensor]).abs().amax(dim=1)
            second = consumer.per_channel(scaled[consumer.tensor]).abs().amax(dim=1)
            step = torch.where((first > 0) & (second > 0), (first / second).sqrt(), 1.0)
            scale.mul_(step)
            for member in group.members:
                factors = step if member is consumer else 1 / step
                scaled[member.tensor] = member.times(scaled[member.tensor], factors)
    result = dict(weights)
    result |= {name: tensor.to(weights[name].dtype) for name, tensor in scaled.items()}
    return result, _scaled_stats(stats, pairs, scales, weights)


def _scaled_stats(
    stats: CalibrationStats,
    pairs: Sequence[Group],
    scales: Sequence[Tensor],
    weights: Mapping[str, Tensor],
) -> CalibrationStats:
    """Return the statistics that the scaled network would have."""
    gradients, covariances = dict(stats.gradients), dict(stats.covariances)
    for group, scale in zip(pairs, scales, strict=True):
        for member in group.members:
            name, takes = member.tensor, member.role == "takes"
            if name in gradients:
                scaled = member.times(gradients[name].double(), 1 / scale if takes else scale)
                gradients[name] = scaled.to(gradients[name].dtype)
            if takes and name in covariances:
                row = member.times(torch.ones(weights[name].shape[1:]).unsqueeze(0), 1 / scale)
                factors = row.flatten()
                matrix = covariances[name].matrix * factors * factors.unsqueeze(1)
                covariances[name] = InputCovariance(matrix.float())
    return replace(stats, gradients=gradients, covariances=covariances)
