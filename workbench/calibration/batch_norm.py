"""Batch norm of a compressed network, measured anew (Li et al. 2020, arXiv 2007.02491)."""

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
PORTION = 256
STATISTICS = ("running_mean", "running_var")


def recalibrated(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the means and variances that batch norm sees with `weights`, float32 [channels].

    By name, over the first 512 training examples, in equal portions of 256 at most. Norms that
    do not run, that get one value in each channel, or whose statistics would not be finite are
    left out.

    Raises
    ------
    WorkbenchError
        When a person's own module fails on them.
    """
    module = model.module()
    if not tracking_norms(module):
        return {}
    buffers = {name for name, _ in module.named_buffers()}  # the forward pass may write to them
    own = quick_weights(model, weights)
    own |= {name: weights[name].clone() for name in buffers & own.keys()}
    inputs = quick_inputs(model, calibration_inputs(model, EXAMPLES))
    portions = inputs.chunk(-(-len(inputs) // PORTION))
    with user_errors(FAILS), threads(1), torch.no_grad():  # on more, sums may end with other bits
        seen = recalibrate_norms(module, portions, lambda part: call(module, own, part))
    found: dict[str, Tensor] = {}
    for path in seen:
        names = [f"{path}.{name}".removeprefix(".") for name in STATISTICS]
        if all(name in own and bool(own[name].isfinite().all()) for name in names):
            found |= {name: own[name] for name in names}
    return {name: found[name] for name in weights if name in found}
