"""Which predictions depend on values that lie between two codes.

Float32 decides to which code such a value is rounded, and each runtime adds in its own order. So
the file's network runs again with values that are moved by as little as that.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.artifact.module_spec import InputQParams
from workbench.deploy.entry import inputs_of
from workbench.deploy.outputs import TOLERANCE
from workbench.deploy.source import Network
from workbench.runtime.batch import apply
from workbench.runtime.integer_layers import IntegerForward, centered_codes, uses_integer_inputs

MOVED = 2.0**-18
"""How far values are moved before they are rounded, relative to the largest of an example.

It is 64 times the rounding of float32, which the sums and functions of a layer add up to.
"""
TRIES = 32
"""How many times an example runs."""
MOST = 256
"""Examples that run again; of more than these, a part would not make a difference."""


def decided_by_rounding(
    network: Network, examples: NDArray[np.generic], rows: NDArray[np.int64], outputs: Tensor
) -> NDArray[np.bool_]:
    """Return for each of `rows` whether rounding explains what a runtime returns.

    Parameters
    ----------
    network
        The file, whose layers quantize their inputs.
    examples
        Those that the outputs belong to, [n, ...].
    rows
        Predictions that differ: one for each example, or for each position of a sequence.
    outputs
        Those of the runtime, [n, ..., outputs].

    Returns
    -------
    array of bool
        Of classes, whether the same network predicts the runtime's class in one of some tries with
        moved values. Of numbers, whether the runtime's outputs lie between those of the tries.
    """
    positions = outputs[..., 0].numel() // len(outputs)
    affected = np.unique(rows // positions)
    decided = np.zeros(len(rows), bool)
    if not network.spec.inputs or not 0 < len(affected) <= MOST:
        return decided
    moved = _moved(network)
    flat = outputs.flatten(0, -2)
    for example in affected:
        inputs = inputs_of(network.task, examples[[example] * TRIES])
        with torch.no_grad():
            tries: Tensor = apply(moved, inputs)
        tries = tries.flatten(1, -2) if positions > 1 else tries[:, None]
        for place in np.flatnonzero(rows // positions == example):
            row = rows[place]
            decided[place] = _explains(network, tries[:, row % positions], flat[row])
    return decided


def _explains(network: Network, tries: Tensor, outputs: Tensor) -> bool:
    """Return whether tries [tries, outputs] explain a runtime's outputs."""
    if network.task.metric.counts in ("classes", "tokens"):
        return bool((tries.argmax(1) == outputs.argmax()).any()) and bool(outputs.isfinite().all())
    bound = TOLERANCE * outputs.abs().clamp(min=1)
    return bool(((outputs >= tries.amin(0) - bound) & (outputs <= tries.amax(0) + bound)).all())


def _moved(network: Network) -> torch.nn.Module:
    """Return the network of the file with moved values before each rounding."""
    generator = torch.Generator().manual_seed(0)

    def codes(values: Tensor, qparams: InputQParams) -> Tensor:
        largest = values.abs().flatten(1).amax(1).view(-1, *[1] * (values.ndim - 1))
        moves = torch.rand(values.shape, generator=generator) * 2 - 1
        return centered_codes(values + MOVED * largest * moves, qparams)

    module = deepcopy(network.reference)
    for layer in module.modules():
        if uses_integer_inputs(layer):
            forward: IntegerForward = vars(layer)["forward"]
            forward.codes = codes
    return module
