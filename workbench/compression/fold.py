"""Batch norm folded into the layer before it (Jacob et al. 2017, arXiv 1712.05877, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workbench.compression.evidence import Evidence

NORM_TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Fold:
    """The batch norm at the path `norm`, with its `eps`, comes right after the layer at `layer`."""

    norm: str
    layer: str
    eps: float


@torch.no_grad()
def fold(
    weights: Mapping[str, Tensor], folds: Sequence[Fold], evidence: Evidence
) -> tuple[dict[str, Tensor], Evidence]:
    """Return weights and evidence of the network without the batch norms of `folds`.

    W' = W · γ / √(σ² + ε) and b' = β + (b − μ) · γ / √(σ² + ε), computed in float64 for each
    output channel; a layer without a bias gets one.
    """
    left = dict(weights)
    gradients = dict(evidence.gradients)
    for one in folds:
        gamma, beta, mean, variance = (
            left[f"{one.norm}.{name}"].double() for name in NORM_TENSORS[:4]
        )
        for name in NORM_TENSORS:
            left.pop(f"{one.norm}.{name}", None)
        factor = gamma / (variance + one.eps).sqrt()
        weight, bias = f"{one.layer}.weight", f"{one.layer}.bias"
        wide = factor.view(-1, *[1] * (left[weight].ndim - 1))
        shift = left[bias].double() if bias in left else torch.zeros_like(mean)
        kind = left[weight].dtype
        left = _placed(left, weight, bias, (beta + (shift - mean) * factor).to(kind))
        left[weight] = (left[weight].double() * wide).to(kind)
        if weight in gradients:  # the loss falls by as much for a step as large in proportion
            safe = torch.where(wide == 0, torch.ones_like(wide), wide.abs())
            gradients[weight] = (gradients[weight].double() / safe).to(kind)
    return left, replace(evidence, gradients=gradients)


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
