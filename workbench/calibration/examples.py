"""Calibration examples, the first of the training split, and a forward pass over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workbench.domain import Model
from workbench.errors import user_errors
from workbench.runtime.batch import Batch, call, layout_inputs, layout_weights
from workbench.threads import threads

EXAMPLES = 256
MAX_MACS = 8_000_000_000
"""Multiply-adds of all calibration examples together, so that long texts do not take too long."""
MIN_EXAMPLES = 16
FAILS = "The network fails on the first training examples"


def calibration_inputs(model: Model, examples: int = EXAMPLES) -> Any:
    """Return the first training examples as inputs of the model; fewer for an expensive model."""
    limit = max(MIN_EXAMPLES, MAX_MACS // max(1, model.card["macs"]))
    return model.task.inputs(model.task.split("train").examples[: min(examples, limit)])


def quick_inputs(model: Model, inputs: Any) -> Batch:
    """Return inputs of `model` as a batch, in the memory layout that is fastest for it."""
    return layout_inputs(inputs, channels_last=model.architecture.traits.channels_last)


def quick_weights(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `weights` in the memory layout that is fastest for `model`."""
    return layout_weights(weights, channels_last=model.architecture.traits.channels_last)


def run_calibration_batch(module: nn.Module, model: Model, weights: Mapping[str, Tensor]) -> None:
    """Run the calibration examples through `module`, a module of `model` with hooks.

    One batch on one thread: the order of summation changes the low-order bits.

    Raises
    ------
    InputError
        If a user's module fails on these examples.
    """
    tensors = quick_weights(model, weights)
    with user_errors(FAILS), threads(1), torch.no_grad():
        call(module, tensors, quick_inputs(model, calibration_inputs(model)))
