"""Structured pruning: remove channels, filters and neurons from every tensor that has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd

import torch
from torch import Tensor

from workbench.compression.channel_scores import SCORES
from workbench.compression.channels import Axis, Group, input_columns, kept_entries
from workbench.compression.compensate import compensate
from workbench.compression.covariance import InputCovariance
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Structure
from workbench.recipe.prune import NEEDS_COVARIANCE


@dataclass(frozen=True, eq=False)
class ReducedNetwork:
    """Tensors, calibration statistics and channel groups of a network after channel removal."""

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
    """Return `weights` without the channels that `structure` removes from `groups`.

    Each group, or the pool of all groups if layers compete, loses `round(fraction · channels)`: the
    least important first, and the first in order among equals. The most important channel of a
    group is never removed. If a group loses any, the nearest multiple of `structure.multiple`
    remains, or all channels if that is fewer.

    Raises
    ------
    RecipeError
        If coupled layers are given different fractions.
    """
    remaining = _remaining_channels(weights, groups, structure, stats)
    masks = kept_entries(weights, groups, remaining)
    input_axes = _input_axes(groups)
    reduced = dict(weights)
    if structure.criterion in NEEDS_COVARIANCE:
        reduced |= _compensated_weights(weights, masks, input_axes, stats)
    covariances = dict(stats.covariances)
    gradients = dict(stats.gradients)
    for (name, axis), mask in masks.items():
        if bool(mask.all()):
            continue
        entries = mask.nonzero().flatten()
        if (name, axis) in input_axes and name in covariances:
            columns = input_columns(weights[name], entries)
            covariances[name] = InputCovariance(covariances[name].matrix[columns][:, columns])
        reduced[name] = reduced[name].index_select(axis, entries)
        if name in gradients:
            gradients[name] = gradients[name].index_select(axis, entries)
    return ReducedNetwork(
        reduced,
        replace(stats, gradients=gradients, covariances=covariances),
        tuple(g.restricted(channels, masks) for g, channels in zip(groups, remaining, strict=True)),
    )


def requested_fraction(groups: Sequence[Group], structure: Structure) -> float:
    """Return the fraction of all channels of `groups` that `structure` asks to remove."""
    total = sum(group.outputs for group in groups) or 1
    removed = (removed_fraction(group.producers, structure) * group.outputs for group in groups)
    return sum(removed) / total


def removed_fraction(coupled: Iterable[str], structure: Structure) -> float:
    """Return the fraction of their channels that coupled layers are asked to lose.

    Raises
    ------
    RecipeError
        If they are given different fractions.
    """
    fraction = structure.layer_fraction(coupled)
    if fraction is not None:
        return fraction
    return 0.0 if structure.scope == "named" else structure.removed


def _remaining_channels(
    weights: Mapping[str, Tensor],
    groups: Sequence[Group],
    structure: Structure,
    stats: CalibrationStats,
) -> list[Tensor]:
    """Return the indices of the channels that remain in each group, rising."""
    rng = torch.Generator().manual_seed(structure.seed)
    scores = [SCORES[structure.criterion](group, weights, stats, rng) for group in groups]
    compete = [
        structure.scope == "global" and structure.layer_fraction(group.producers) is None
        for group in groups
    ]
    pool, sizes = [], []
    for score, group, competes in zip(scores, groups, compete, strict=True):
        if competes:
            relative = score / (float(score.mean()) or 1.0)
            relative[relative.argmax()] = torch.inf  # a group keeps at least one channel
            pool.append(relative)
            sizes.append(torch.full(score.shape, group.outputs // group.channels))
    pooled = torch.cat(pool) if pool else torch.zeros(0)
    outputs = torch.cat(sizes) if sizes else torch.zeros(0, dtype=torch.int64)
    pooled_masks = iter(_keep_of_pool(pooled, outputs, structure).split([len(p) for p in pool]))
    masks = [
        next(pooled_masks) if competes else _keep(score, removed_fraction(g.producers, structure))
        for g, score, competes in zip(groups, scores, compete, strict=True)
    ]
    return [
        _in_multiples(mask, score, group, structure.multiple).nonzero().flatten()
        for mask, score, group in zip(masks, scores, groups, strict=True)
    ]


def _keep_of_pool(scores: Tensor, outputs: Tensor, structure: Structure) -> Tensor:
    """Return the mask over the competing `scores`, each of which stands for several `outputs`."""
    if bool((outputs == 1).all()):
        return _keep(scores, structure.removed)
    order = scores.argsort(stable=True)
    removed = outputs[order].cumsum(0)
    requested = structure.removed * int(outputs.sum())
    mask = torch.ones(len(scores), dtype=torch.bool)
    within = (removed - outputs[order] / 2 <= requested) & torch.isfinite(scores[order])
    mask[order[within]] = False
    return mask


def _keep(scores: Tensor, fraction: float) -> Tensor:
    """Return the mask without the smallest `round(fraction · n)` of `scores`, never empty."""
    mask = torch.ones(len(scores), dtype=torch.bool)
    count = min(round(fraction * len(scores)), int(torch.isfinite(scores).sum()), len(scores) - 1)
    if count > 0:
        mask[scores.argsort(stable=True)[:count]] = False
    return mask


def _in_multiples(mask: Tensor, scores: Tensor, group: Group, multiple: int) -> Tensor:
    """Adjust `mask` so that the number of remaining outputs is the nearest multiple.

    At least one multiple remains, or all channels if they are fewer. A mask that keeps all
    channels stays as it is.
    """
    outputs = group.outputs // group.channels
    step = multiple // gcd(multiple, outputs)
    remaining, total = int(mask.sum()), len(mask)
    nearest = max(1, (2 * remaining + step) // (2 * step)) * step
    if step == 1 or remaining == total:
        return mask
    rounded = torch.ones(total, dtype=torch.bool)
    rounded[scores.argsort(stable=True)[: max(0, total - nearest)]] = False
    return rounded


def _input_axes(groups: Sequence[Group]) -> set[Axis]:
    """Return the input axes at position 1: input covariances exist for these only.

    A parameter that computes x @ W has its output channels at position 1 instead.
    """
    members = (member for group in groups for member in group.with_role("takes"))
    return {(member.tensor, member.axis) for member in members if member.axis == 1}


def _compensated_weights(
    weights: Mapping[str, Tensor],
    masks: Mapping[Axis, Tensor],
    input_axes: set[Axis],
    stats: CalibrationStats,
) -> dict[str, Tensor]:
    """Return the weights that take the channels, updated to compensate for the removed ones."""
    updated = {}
    for (name, axis), entries in masks.items():
        covariance = stats.covariances.get(name)
        if (name, axis) not in input_axes or covariance is None or bool(entries.all()):
            continue
        rows = weights[name].flatten(1).float()
        mask = torch.zeros_like(rows, dtype=torch.bool)
        mask[:, input_columns(weights[name], entries.nonzero().flatten())] = True
        updated[name] = compensate(rows, covariance, mask).view(weights[name].shape)
    return updated
