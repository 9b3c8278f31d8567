"""Pruning criteria: how much each weight matters.

To add one: write a function here, and its words in `workbench.recipe.prune.CRITERIA`.
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

    Molchanov et al. 2016, arXiv 1611.06440; g is the mean absolute gradient over calibration
    batches, from `evidence.gradients`.
    """
    return {name: weight.abs() * stats.gradients[name] for name, weight in weights.items()}


def curvature(weights: Mapping[str, Tensor], prune: Prune, stats: CalibrationStats) -> Scores:
    """Return |w| / √[H⁻¹]: how much a layer's outputs change when the others make good for it.

    The root of the saliency of the Optimal Brain Surgeon (Hassibi & Stork 1992), with H the mean
    of x xᵀ over the layer's inputs, from `evidence.moments`; as a share of the layer's outputs, so
    that layers compare. Where there are no moments, as of embeddings, |w| as a share of all of the
    layer's weights, √Σw²: what it is for inputs that come one at a time and equally often.
    """
    found = {}
    for name, weight in weights.items():
        found[name] = weight.abs().double() / (float(weight.double().norm()) or 1.0)
        if name in stats.moments:
            moment = stats.moments[name]
            rows = weight.flatten(1).double()
            outputs = float(moment.output_error(rows).sum()) or 1.0
            scores = rows.abs() / moment.inverse.diagonal().sqrt() / outputs**0.5
            found[name] = scores.view(weight.shape)
    return found


def random(weights: Mapping[str, Tensor], prune: Prune, stats: CalibrationStats) -> Scores:
    """Return a lot drawn from `prune.seed`, the same on every platform."""
    generator = torch.Generator().manual_seed(prune.seed)
    return {name: torch.rand(weight.shape, generator=generator) for name, weight in weights.items()}


CRITERIA: dict[str, Callable[[Mapping[str, Tensor], Prune, CalibrationStats], Scores]] = {
    "magnitude": magnitude,
    "gradient": gradient,
    "curvature": curvature,
    "random": random,
}
"""Scores by criterion name: each tensor's, of its shape, at least 0, larger means keep."""
