"""Batch norm of a compressed network, measured anew (Li et al. 2020, arXiv 2007.02491)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.adjustment.examples import FAILS, calibration_inputs
from workbench.errors import in_words
from workbench.threads import threads
from workbench.zoo import Model
from workbench.zoo.batch import Batch, call, channels_last
from workbench.zoo.norms import recalibrate

EXAMPLES = 512
PORTION = 256
STATISTICS = ("running_mean", "running_var")


def recalibrated(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the means and variances that batch norm sees with `weights`, float32 [channels].

    By name, over the first 512 training examples, 256 at a time; none without batch norm.

    Raises
    ------
    WorkbenchError
        When a person's own module fails on them, as batch norm does on a single one.
    """
    names = [name for name in weights if name.rpartition(".")[2] in STATISTICS]
    if not names:
        return {}
    module = model.module().train()
    own = {
        name: tensor.clone() if name in names else channels_last(tensor)
        for name, tensor in weights.items()
    }
    own |= {n: t.clone() for n, t in own.items() if not t.is_floating_point()}  # the counters
    portions = Batch.quickly(calibration_inputs(model, EXAMPLES)).split(PORTION)
    with in_words(FAILS), threads(1), torch.no_grad():  # on more, sums may end with other bits
        recalibrate(module, portions, lambda part: call(module, own, part))
    return {name: own[name] for name in names}
