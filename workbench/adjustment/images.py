"""The images that adjustments look at, the first of the training split, and a pass over them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workbench.threads import threads
from workbench.zoo import Model
from workbench.zoo.shell import channels_last

EXAMPLES = 256


def calibration_inputs(model: Model, examples: int = EXAMPLES) -> Tensor:
    """Return the first training examples as the model takes them."""
    return model.task.inputs(model.task.split("train").images[:examples])


def pass_through(module: nn.Module, model: Model, weights: Mapping[str, Tensor]) -> None:
    """Run the calibration images through `module`, a hooked one of `model`'s, with `weights`.

    In one batch and on one thread: on more, sums may end with other bits.
    """
    own = {name: channels_last(tensor) for name, tensor in weights.items()}
    with threads(1), torch.no_grad():
        functional_call(module, own, (channels_last(calibration_inputs(model)),), strict=True)
