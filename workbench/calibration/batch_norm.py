"""Recalibration of batch-norm statistics after compression (Li et al. 2020, arXiv 2007.02491)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.calibration.examples import FAILS, calibration_inputs, quick_inputs, quick_weights
from workbench.domain import Model
from workbench.errors import user_errors
from workbench.runtime.batch import call
from workbench.runtime.batch_norm import recalibrate_norms, tracking_norms
from workbench.threads import threads

EXAMPLES = 512
BATCH = 256
STATISTICS = ("running_mean", "running_var")


def recalibrated(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return batch-norm means and variances under `weights`, float32 [channels], by buffer name.

    They are computed on the first 512 training examples, in equal batches of at most 256. Norms
    that do not run, get one value per channel, or have statistics that are not finite are omitted.

    Raises
    ------
    InputError
        If a user's module fails on these examples.
    """
    module = model.module()
    if not tracking_norms(module):
        return {}
    buffers = {name for name, _ in module.named_buffers()}  # the forward pass may write to them
    tensors = quick_weights(model, weights)
    tensors |= {name: weights[name].clone() for name in buffers & tensors.keys()}
    inputs = quick_inputs(model, calibration_inputs(model, EXAMPLES))
    batches = inputs.chunk(-(-len(inputs) // BATCH))
    # One thread, because the order of summation changes the low-order bits.
    with user_errors(FAILS), threads(1), torch.no_grad():
        paths = recalibrate_norms(module, batches, lambda batch: call(module, tensors, batch))
    updated: dict[str, Tensor] = {}
    for path in paths:
        names = [f"{path}.{name}".removeprefix(".") for name in STATISTICS]
        if all(name in tensors and bool(tensors[name].isfinite().all()) for name in names):
            updated |= {name: tensors[name] for name in names}
    return {name: updated[name] for name in weights if name in updated}
