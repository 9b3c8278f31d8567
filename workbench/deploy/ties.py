"""Which predictions and outputs of a runtime are explained by rounding.

Each runtime adds in its own order. The file's network runs again with values that are moved by as
little as that, and shows how far the outputs of an example may then lie from those of the file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.deploy.moved import spreads
from workbench.deploy.outputs import Outputs
from workbench.deploy.source import Network

MOST = 1024
"""The most examples with different predictions that run again; if there are more, none does."""
SAMPLE = 64
"""The number of examples with different outputs that run again."""
FEW, SHARE = 2, 1 / 8
"""The number and the share of these that may lie further away than all tries: 1 in 33 by chance.

This holds if inputs are rounded to codes. Without codes, outputs change evenly with the values,
and none may lie further away.
"""


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
        The file.
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
    if not len(rows):
        return decided
    equal = file.equal_rows(outputs).numpy()
    decided[equal[rows]] = True
    positions = outputs[..., 0].numel() // len(outputs)
    affected = np.unique(rows[~decided] // positions)
    if len(affected) > MOST:
        return decided
    classes = network.task.metric.counts in ("classes", "tokens")
    returned = outputs.flatten(0, -2)
    tried = spreads(network, examples, affected, file, cancel, rounds_biases=rounds_biases)
    for example, spread in zip(affected, tried, strict=True):
        for place in np.flatnonzero((rows // positions == example) & ~decided):
            row, position = rows[place], int(rows[place] % positions)
            best = spread.classes[:, position] == returned[row].argmax()
            predicts = classes and bool(best.any())
            finite = bool(returned[row].isfinite().all())
            decided[place] = finite and (
                predicts or not spread.is_beyond(returned[row], slice(position, position + 1))
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
    places = np.linspace(0, len(unequal) - 1, min(SAMPLE, len(unequal))).round().astype(int)
    sample = unequal[places]
    tried = spreads(network, examples, sample, file, cancel, rounds_biases=rounds_biases)
    beyond = sum(
        spread.is_beyond(outputs[example]) for example, spread in zip(sample, tried, strict=True)
    )
    allowed = max(FEW, SHARE * len(sample)) if network.spec.inputs else 0
    return (beyond, len(sample)) if beyond > allowed else (0, 0)
