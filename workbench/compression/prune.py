"""From importance scores to masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from workbench.compression.criteria import CRITERIA
from workbench.compression.evidence import Evidence
from workbench.compression.layers import compressible
from workbench.recipe import Prune


def masks(weights: Mapping[str, Tensor], prune: Prune, evidence: Evidence) -> dict[str, Tensor]:
    """Return a boolean mask (True: keep) for each tensor that `prune` touches, of its shape.

    The number pruned is `round(sparsity · n)`, over the pool of all tensors in scope where layers
    compete and per tensor otherwise; among equal scores the first in order go.
    """
    pool = [n for n in compressible(weights) if n not in prune.exclude]
    own = [n for n in pool if n in prune.layers]
    shared = [n for n in pool if n not in prune.layers] if prune.scope != "layer" else []
    chosen = {name: weights[name] for name in pool if name in own or name in shared}
    scores = CRITERIA[prune.criterion](chosen, prune, evidence)
    kept = {name: _keep(scores[name].flatten(), prune.layers[name]) for name in own}
    if prune.scope in COMPETING and shared:
        weigh = COMPETING[prune.scope]
        together = _keep(
            torch.cat([weigh(scores[name].flatten()) for name in shared]), prune.sparsity
        )
        parts = together.split([weights[name].numel() for name in shared])
        kept |= dict(zip(shared, parts, strict=True))
    else:
        kept |= {name: _keep(scores[name].flatten(), prune.sparsity) for name in shared}
    return {name: kept[name].view(weights[name].shape) for name in chosen}


def _adaptive(scores: Tensor) -> Tensor:
    """Return s² over the sum of the squares of all scores that are no smaller, for flat `scores`.

    The score of layer-adaptive magnitude pruning (LAMP; Lee et al. 2020, arXiv 2010.07611): the
    last weight of a layer has score 1, so that no layer is emptied before all are down to one.
    """
    ranked, order = scores.double().square().sort(stable=True)
    left = ranked.flip(0).cumsum(0).flip(0)
    found = torch.zeros_like(ranked)
    found[order] = ranked / left.clamp_min(torch.finfo(torch.float64).tiny)
    return found


COMPETING: dict[str, Callable[[Tensor], Tensor]] = {
    "global": lambda scores: scores,
    "adaptive": _adaptive,
}
"""The scopes in which layers compete, and what their flat scores become before that."""


def _keep(scores: Tensor, sparsity: float) -> Tensor:
    """Return which of the flat `scores` survive when the smallest `round(sparsity · n)` go."""
    pruned = round(sparsity * scores.numel())
    if pruned == 0:
        return torch.ones_like(scores, dtype=torch.bool)
    if scores.dtype == torch.bfloat16:  # NumPy has none
        scores = scores.float()
    ranked = scores.numpy()  # NumPy's selection is several times faster than kthvalue
    threshold = np.partition(ranked, pruned - 1)[pruned - 1]
    keep = ranked >= threshold
    surplus = pruned - (keep.size - np.count_nonzero(keep))
    keep[np.flatnonzero(ranked == threshold)[:surplus]] = False
    return torch.from_numpy(keep)
