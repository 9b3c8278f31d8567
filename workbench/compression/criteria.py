"""Pruning criteria: the importance of each weight.

To add one, write a function here and describe it in `workbench.recipe.prune.CRITERIA`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune

Scores = dict[str, Tensor]


def magnitude(weights: Mapping[str, Tensor], prune: Prune, stats: CalibrationStats) -> Scores:
    """Return |w| (Han et al. 2015, arXiv 1506.02626)."""
    return {name: weight.abs() for name, weight in weights.items()}


def gradient(weights: Mapping[str, Tensor], prune: Prune, stats: CalibrationStats) -> Scores:
    """Return |w · g|, the first-order Taylor term of the loss.

    Molchanov et al. 2016, arXiv 1611.06440. g is the mean absolute gradient over calibration
    batches, `stats.gradients`.
    """
    return {name: weight.abs() * stats.gradients[name] for name, weight in weights.items()}


def curvature(weights: Mapping[str, Tensor], prune: Prune, stats: CalibrationStats) -> Scores:
    """Return |w| / √[H⁻¹], the change of a layer's outputs after the other weights compensate.

    The root of the saliency of Optimal Brain Surgeon (Hassibi & Stork 1992). H is the mean of x xᵀ
    over the layer's inputs, `stats.covariances`. Scores are divided by the norm of the layer's
    outputs, so that layers are comparable. For a layer without a covariance, such as an embedding,
    the score is |w| / √Σw²: the same formula for one-hot inputs of equal frequency.
    """
    scores = {}
    for name, weight in weights.items():
        scores[name] = weight.abs().double() / (float(weight.double().norm()) or 1.0)
        if name in stats.covariances:
            covariance = stats.covariances[name]
            rows = weight.flatten(1).double()
            outputs = float(covariance.output_error(rows).sum()) or 1.0
            saliency = rows.abs() / covariance.inverse.diagonal().sqrt() / outputs**0.5
            scores[name] = saliency.view(weight.shape)
    return scores


def random(weights: Mapping[str, Tensor], prune: Prune, stats: CalibrationStats) -> Scores:
    """Return random numbers from `prune.seed`, the same on every platform."""
    generator = torch.Generator().manual_seed(prune.seed)
    return {name: torch.rand(weight.shape, generator=generator) for name, weight in weights.items()}


CRITERIA: dict[str, Callable[[Mapping[str, Tensor], Prune, CalibrationStats], Scores]] = {
    "magnitude": magnitude,
    "gradient": gradient,
    "curvature": curvature,
    "random": random,
}
"""Functions by criterion. They return a score for each weight, at least 0; larger means keep."""
