"""The images that adjustments look at: the first of the training split."""

from __future__ import annotations

from torch import Tensor

from workbench.zoo import Model

EXAMPLES = 256


def calibration_inputs(model: Model, examples: int = EXAMPLES) -> Tensor:
    """Return the first training examples as the model takes them."""
    return model.task.inputs(model.task.split("train").images[:examples])
