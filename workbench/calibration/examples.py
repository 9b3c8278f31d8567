"""The examples that adjustments look at, the first of the training split, and a pass over them."""

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
MOST = 8_000_000_000
"""Multiply-adds at most: examples that take long, such as texts, hold many places each."""
FEWEST = 16
FAILS = "The network fails on the first training examples"


def calibration_inputs(model: Model, examples: int = EXAMPLES) -> Any:
    """Return the first training examples as the model takes them: fewer where each takes long."""
    few = max(FEWEST, MOST // max(1, model.card["macs"]))
    return model.task.inputs(model.task.split("train").examples[: min(examples, few)])


def quick_inputs(model: Model, inputs: Any) -> Batch:
    """Return what `model` takes as a batch, laid out as its layers are quickest."""
    return layout_inputs(inputs, channels_last=model.architecture.traits.channels_last)


def quick_weights(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `weights` laid out to go with `quick_inputs`."""
    return layout_weights(weights, channels_last=model.architecture.traits.channels_last)


def run_calibration_batch(module: nn.Module, model: Model, weights: Mapping[str, Tensor]) -> None:
    """Run the calibration examples through `module`, a hooked one of `model`'s, with `weights`.

    In one batch and on one thread: on more, sums may end with other bits.

    Raises
    ------
    WorkbenchError
        When a person's own module fails on them.
    """
    own = quick_weights(model, weights)
    with user_errors(FAILS), threads(1), torch.no_grad():
        call(module, own, quick_inputs(model, calibration_inputs(model)))
