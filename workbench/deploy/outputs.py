"""The outputs that a runtime's are compared with, and how far rounding may move them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor, nn

from workbench.cancel import CancelToken
from workbench.deploy.source import Network
from workbench.evaluation.reference import BORDERLINE
from workbench.runtime.batch import Batch, apply

BATCH = 250
TOLERANCE = 1e-4
"""The largest difference of equal outputs, relative to max(1, |output|)."""


@dataclass(frozen=True)
class Outputs:
    """The outputs of a file.

    Attributes
    ----------
    exact : Tensor
        As the reference evaluation computes them, float32 or float64.
    single : Tensor or None
        In PyTorch's float32, if `exact` is float64.
    """

    exact: Tensor
    single: Tensor | None = None

    def by_example(self) -> Outputs:
        """Return the same outputs with one row for each example, [n, outputs]."""
        single = None if self.single is None else by_example(self.single)
        return Outputs(by_example(self.exact), single)

    def certain(self) -> Tensor:
        """Return for each row whether its best output leads by more than rounding moves it."""
        values = torch.topk(self.exact.flatten(0, -2), 2, dim=1).values
        best, second = values.unbind(dim=1)
        bound = BORDERLINE * best.abs().clamp(min=1)
        return (best - second >= bound) | ~best.isfinite()

    def equal_rows(self, outputs: Tensor) -> Tensor:
        """Return for each row whether all of `outputs` are equal to these in one dtype."""
        tolerance = tolerances(self.exact)
        near = distances(outputs, self.exact) <= tolerance
        equal = near.flatten(0, -2).all(dim=1)
        if self.single is None:
            return equal
        near = distances(outputs, self.single.to(self.exact.dtype)) <= tolerance
        return equal | near.flatten(0, -2).all(dim=1)

    def largest_difference(self, outputs: Tensor) -> float:
        """Return the largest absolute difference; infinite where only one is a finite number."""
        return float(distances(outputs, self.exact).max()) if outputs.numel() else 0.0


def outputs_of_file(network: Network, inputs: Batch, cancel: CancelToken) -> Outputs:
    """Return the outputs of a file for all inputs.

    Codes of inputs jump where float32 is slightly off. For a file with quantized inputs, the
    outputs are therefore float64, and those of the same network in float32 are known too.
    """
    single = _run(network.reference, inputs, cancel)
    traits = network.model.architecture.traits
    if not network.spec.inputs or not traits.float64:
        return Outputs(single.float())
    return Outputs(
        _run(deepcopy(network.reference).double(), inputs.to(torch.float64), cancel), single
    )


def by_example(outputs: Tensor) -> Tensor:
    """Return outputs with one row for each example: of shape [n, outputs] also if it was [n]."""
    return outputs.reshape(len(outputs), -1)


def tolerances(exact: Tensor) -> Tensor:
    """Return by how much each output may differ from the exact one and still count as equal."""
    return TOLERANCE * exact.abs().nan_to_num(posinf=1, nan=1).clamp(min=1)


def distances(outputs: Tensor, expected: Tensor) -> Tensor:
    """Return the absolute differences: 0 between two infinities or two that are no number."""
    outputs = outputs.to(expected.dtype)
    same = (outputs == expected) | (outputs.isnan() & expected.isnan())
    differences = (outputs - expected).abs().nan_to_num(nan=inf)
    return differences.masked_fill(same, 0.0)


@torch.no_grad()
def _run(module: nn.Module, inputs: Batch, cancel: CancelToken) -> Tensor:
    batches = []
    for batch in inputs.split(BATCH):
        cancel.check()
        batches.append(apply(module, batch))
    return torch.cat(batches)
