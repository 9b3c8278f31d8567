"""Which predictions depend on values that lie between two codes.

Float32 decides to which code such a value is rounded, and each runtime adds in its own order. So
the file's network runs again with values that are moved by as little as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.artifact.module_spec import InputQParams
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.entry import inputs_of
from workbench.deploy.outputs import TOLERANCE, Outputs
from workbench.deploy.source import Network
from workbench.runtime.batch import apply
from workbench.runtime.integer_layers import IntegerForward, centered_codes, uses_integer_inputs

MOVED = 2.0**-18
"""How far values are moved before they are rounded, relative to the largest of an example.

It is 64 times the rounding of float32, which the sums and functions of a layer add up to.
"""
TRIES = 32
"""How many times an example runs, with biases as in the file and as integers."""
MOST = 1024
"""Examples with other predictions that run again; of more than these, none does."""
SAMPLE = 64
"""Examples with other outputs that run again."""
FEW, SHARE = 2, 1 / 8
"""How many of these, and which share, may lie further away than each try: one in 33 by chance."""


def decided_by_rounding(
    network: Network,
    examples: NDArray[np.generic],
    rows: NDArray[np.int64],
    outputs: Tensor,
    file: Outputs,
    cancel: CancelToken = NEVER,
    *,
    rounds_biases: bool = False,
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
    file
        Those of the file.
    cancel
        Checked between the examples.
    rounds_biases
        Whether the runtime makes biases integers, see `Target.rounds_biases`.

    Returns
    -------
    array of bool
        Whether the outputs are those of the file in float32, or lie no further from those in
        float64 than the ones of some tries with moved values. Of classes it is enough if one of
        these predicts that of the runtime.
    """
    decided = np.zeros(len(rows), bool)
    if not network.spec.inputs or not len(rows):
        return decided
    equal = file.equal_rows(outputs).numpy()
    decided[equal[rows]] = True
    positions = outputs[..., 0].numel() // len(outputs)
    affected = np.unique(rows[~decided] // positions)
    if len(affected) > MOST:
        return decided
    moved = _moved(network, rounds_biases=rounds_biases)
    classes = network.task.metric.counts in ("classes", "tokens")
    returned, exact = outputs.flatten(0, -2), file.exact.flatten(0, -2)
    for example in affected:
        cancel.check()
        tries = _tries(network, moved, examples, example)
        for place in np.flatnonzero((rows // positions == example) & ~decided):
            row = rows[place]
            there = tries[:, row % positions]
            predicts = classes and bool((there.argmax(1) == returned[row].argmax()).any())
            finite = bool(returned[row].isfinite().all())
            decided[place] = finite and (
                predicts or not _is_beyond(there, returned[row], exact[row])
            )
    return decided


def beyond_rounding(
    network: Network,
    examples: NDArray[np.generic],
    outputs: Tensor,
    file: Outputs,
    cancel: CancelToken = NEVER,
    *,
    rounds_biases: bool = False,
) -> tuple[int, int]:
    """Return how many examples lie beyond what rounding explains, and of how many that were tried.

    Both are 0 if these are as few as chance allows. The parameters are those of
    `decided_by_rounding`. A network with another constant predicts mostly the same, but its outputs
    lie further from the file's than those of each try, in many examples.
    """
    equal = file.equal_rows(outputs).view(len(outputs), -1).all(1).numpy()
    unequal = np.flatnonzero(~equal)
    if not network.spec.inputs or not len(unequal):
        return 0, 0
    places = np.linspace(0, len(unequal) - 1, min(SAMPLE, len(unequal))).round().astype(int)
    moved, beyond = _moved(network, rounds_biases=rounds_biases), 0
    for example in unequal[places]:
        cancel.check()
        tries = _tries(network, moved, examples, example)
        beyond += _is_beyond(tries, outputs[example], file.exact[example])
    return (beyond, len(places)) if beyond > max(FEW, SHARE * len(places)) else (0, 0)


def _tries(
    network: Network, moved: Sequence[torch.nn.Module], examples: NDArray[np.generic], example: int
) -> Tensor:
    """Return the outputs of tries for an example, [tries, positions, outputs]."""
    inputs = inputs_of(network.task, examples[[example] * TRIES])
    with torch.no_grad():
        tries: Tensor = torch.cat([apply(module, inputs) for module in moved])
    return tries.reshape(TRIES * len(moved), -1, tries.shape[-1])


def _is_beyond(tries: Tensor, outputs: Tensor, exact: Tensor) -> bool:
    """Return whether outputs lie further from the exact ones than those of each of the tries.

    Each difference counts in units of the mean difference of the tries there.
    """
    exact, outputs = (values.double().flatten() for values in (exact, outputs))
    distances = (tries.double().flatten(1) - exact).abs()
    unit = distances.mean(0) + TOLERANCE * exact.abs().clamp(min=1)
    furthest = float((distances / unit).amax())
    distance = float(((outputs - exact).abs() / unit).amax())
    return not distance <= max(furthest, 1.0)  # also where one is no number


def _moved(network: Network, *, rounds_biases: bool) -> list[torch.nn.Module]:
    """Return the network of the file with moved values before each rounding.

    If the runtime makes biases integers that are none in the file, there is a second one in which
    they are, as the package says.
    """
    generator = torch.Generator().manual_seed(0)

    def codes(values: Tensor, qparams: InputQParams) -> Tensor:
        largest = values.abs().flatten(1).amax(1).view(-1, *[1] * (values.ndim - 1))
        moves = torch.rand(values.shape, generator=generator) * 2 - 1
        return centered_codes(values + MOVED * largest * moves, qparams)

    module = deepcopy(network.reference)
    for forward in _integer_forwards(module):
        forward.codes = codes
    if not rounds_biases or all(f.whole_biases for f in _integer_forwards(module)):
        return [module]
    second = deepcopy(module)
    for forward in _integer_forwards(second):
        forward.whole_biases = True
    return [module, second]


def _integer_forwards(module: torch.nn.Module) -> list[IntegerForward]:
    return [vars(layer)["forward"] for layer in module.modules() if uses_integer_inputs(layer)]
