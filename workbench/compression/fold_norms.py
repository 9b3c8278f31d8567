"""Batch norm folded into the layer before it (Jacob et al. 2017, arXiv 1712.05877, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workbench.compression.stats import CalibrationStats

NORM_TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Fold:
    """The batch norm at the path `norm`, with its `eps`, comes right after the layer at `layer`.

    `transposed` is the number of groups of a transposed convolution, which has the output channels
    of each group along the second axis of its weight; any other layer has them along the first.
    """

    norm: str
    layer: str
    eps: float
    transposed: int | None = None

    def broadcast(self, factors: Tensor, weight: Tensor) -> Tensor:
        """Return `factors`, one for each output channel, in a shape that multiplies `weight`."""
        ones = [1] * (weight.ndim - 2)
        if self.transposed is None:
            return factors.view(-1, 1, *ones)
        rows = weight.shape[0] // self.transposed
        grouped = factors.view(self.transposed, -1).repeat_interleave(rows, dim=0)
        return grouped.view(*grouped.shape, *ones)


@torch.no_grad()
def fold(
    weights: Mapping[str, Tensor], folds: Sequence[Fold], stats: CalibrationStats
) -> tuple[dict[str, Tensor], CalibrationStats]:
    """Return weights and evidence of the network without the batch norms of `folds`.

    W' = W · γ / √(σ² + ε) and b' = β + (b − μ) · γ / √(σ² + ε), computed in float64 for each
    output channel; a layer without a bias gets one, and a norm without γ and β has ones and zeros.
    """
    left = dict(weights)
    gradients = dict(stats.gradients)
    for one in folds:
        gamma, beta, mean, variance = _removed(left, one.norm)
        factor = gamma / (variance + one.eps).sqrt()
        weight, bias = f"{one.layer}.weight", f"{one.layer}.bias"
        wide = one.broadcast(factor, left[weight])
        shift = left[bias].double() if bias in left else torch.zeros_like(mean)
        kind = left[weight].dtype
        left = _placed(left, weight, bias, (beta + (shift - mean) * factor).to(kind))
        left[weight] = (left[weight].double() * wide).to(kind)
        if weight in gradients:  # the loss falls by as much for a step as large in proportion
            safe = torch.where(wide == 0, torch.ones_like(wide), wide.abs())
            gradients[weight] = (gradients[weight].double() / safe).to(kind)
    return left, replace(stats, gradients=gradients)


def _removed(weights: dict[str, Tensor], norm: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Take the tensors of a batch norm out of `weights`; return γ, β, μ and σ², float64."""
    own = {name: weights.pop(f"{norm}.{name}", None) for name in NORM_TENSORS}
    found = {name: tensor.double() for name, tensor in own.items() if tensor is not None}
    mean, variance = found["running_mean"], found["running_var"]
    gamma, beta = found.get("weight"), found.get("bias")
    return (
        torch.ones_like(mean) if gamma is None else gamma,
        torch.zeros_like(mean) if beta is None else beta,
        mean,
        variance,
    )


def _placed(
    weights: dict[str, Tensor], weight: str, bias: str, values: Tensor
) -> dict[str, Tensor]:
    """Put `values` under `bias`, right behind `weight` as a module's own bias would be."""
    out: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name != bias:
            out[name] = tensor
        if name == weight:
            out[bias] = values
    return out
