"""Fold batch norm into the layer before it (Jacob et al. 2017, arXiv 1712.05877, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workbench.compression.stats import CalibrationStats

NORM_TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Fold:
    """A batch norm that directly follows a layer.

    Attributes
    ----------
    norm, layer : str
        The paths of the two modules.
    eps : float
        The batch norm's ε.
    transposed : int or None
        The number of groups if the layer is a transposed convolution, whose output channels are
        along the second axis of its weight. None if they are along the first axis.
    """

    norm: str
    layer: str
    eps: float
    transposed: int | None = None

    def broadcast(self, factors: Tensor, weight: Tensor) -> Tensor:
        """Reshape `factors`, one per output channel, so that they can multiply `weight`."""
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
    """Return the weights and statistics of the network without the batch norms of `folds`.

    W' = W · γ / √(σ² + ε) and b' = β + (b − μ) · γ / √(σ² + ε), computed in float64 for each
    output channel. A layer without a bias gets one. A norm without γ and β has γ = 1 and β = 0.
    """
    folded = dict(weights)
    gradients = dict(stats.gradients)
    for pair in folds:
        gamma, beta, mean, variance = _pop_norm(folded, pair.norm)
        factor = gamma / (variance + pair.eps).sqrt()
        weight, bias = f"{pair.layer}.weight", f"{pair.layer}.bias"
        factors = pair.broadcast(factor, folded[weight])
        old_bias = folded[bias].double() if bias in folded else torch.zeros_like(mean)
        dtype = folded[weight].dtype
        folded = _with_bias(folded, weight, bias, (beta + (old_bias - mean) * factor).to(dtype))
        folded[weight] = (folded[weight].double() * factors).to(dtype)
        if weight in gradients:  # by the chain rule, the gradient is divided by the factor
            divisors = torch.where(factors == 0, torch.ones_like(factors), factors.abs())
            gradients[weight] = (gradients[weight].double() / divisors).to(dtype)
    return folded, replace(stats, gradients=gradients)


def _pop_norm(weights: dict[str, Tensor], norm: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Remove the tensors of a batch norm from `weights`; return γ, β, μ and σ², float64."""
    entries = {name: weights.pop(f"{norm}.{name}", None) for name in NORM_TENSORS}
    tensors = {name: tensor.double() for name, tensor in entries.items() if tensor is not None}
    mean, variance = tensors["running_mean"], tensors["running_var"]
    gamma = tensors.get("weight", torch.ones_like(mean))
    beta = tensors.get("bias", torch.zeros_like(mean))
    return gamma, beta, mean, variance


def _with_bias(
    weights: dict[str, Tensor], weight: str, bias: str, values: Tensor
) -> dict[str, Tensor]:
    """Return `weights` with `values` as `bias`, directly after `weight` as in a module."""
    out: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name != bias:
            out[name] = tensor
        if name == weight:
            out[bias] = values
    return out
