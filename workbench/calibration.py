"""Evidence from calibration data: drawn from the training split only, computed once per process."""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import TYPE_CHECKING

from workbench.recipe import Recipe
from workbench.recipe.prune import NEEDS_GRADIENTS
from workbench.zoo import Model

if TYPE_CHECKING:
    from workbench.compression.evidence import Evidence

BATCHES = 8
BATCH = 64

_known: dict[str, Evidence] = {}
_one_at_a_time = Lock()


def evidence_digest(model: Model, recipe: Recipe) -> str | None:
    """Return the digest of the evidence that `recipe` needs; None while it is not computed yet."""
    if not _needs_gradients(recipe):
        return ""
    known = _known.get(model.digest)
    return known.digest if known else None


def evidence_for(model: Model, recipe: Recipe) -> Evidence:
    """Return what `recipe` needs to know of `model`, which may be nothing."""
    from workbench.compression.evidence import Evidence

    if not _needs_gradients(recipe):
        return Evidence()
    with _one_at_a_time:
        if model.digest not in _known:
            _known[model.digest] = mean_absolute_gradients(model)
        return _known[model.digest]


def mean_absolute_gradients(model: Model) -> Evidence:
    """Return the mean absolute gradient of the cross-entropy over calibration batches.

    The first 512 training images in 8 batches of 64; batch norm uses its running statistics.
    """
    import torch
    from torch import nn
    from torch.func import functional_call

    from workbench.compression.evidence import Evidence
    from workbench.compression.layers import compressible

    split = model.task.split("train")
    module = model.module().eval()
    weights = {name: weight.clone() for name, weight in model.weights().items()}
    names = compressible(weights)
    for name in names:
        weights[name].requires_grad_()
    totals = {name: torch.zeros_like(weights[name]) for name in names}
    with torch.enable_grad():
        for start in range(0, BATCHES * BATCH, BATCH):
            inputs = model.task.inputs(split.images[start : start + BATCH])
            labels = torch.from_numpy(split.labels[start : start + BATCH].astype("int64"))
            outputs = functional_call(module, weights, (inputs,), strict=True)
            loss = nn.functional.cross_entropy(outputs, labels)
            gradients = torch.autograd.grad(loss, [weights[name] for name in names])
            for name, gradient in zip(names, gradients, strict=True):
                totals[name] += gradient.abs()
    means = {name: (total / BATCHES).detach() for name, total in totals.items()}
    digest = hashlib.sha256(b"".join(mean.numpy().tobytes() for mean in means.values()))
    return Evidence(means, digest.hexdigest())


def _needs_gradients(recipe: Recipe) -> bool:
    return recipe.prune is not None and recipe.prune.criterion in NEEDS_GRADIENTS
