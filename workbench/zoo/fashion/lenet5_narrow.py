"""A student network: LeNet-5 with half the filters and a fifth of the hidden units."""

from __future__ import annotations

from torch import nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.fashion import lenet5

PLAN = TrainingPlan(epochs=20, learning_rate=3e-3)
MOST_LEFT_OUT = lenet5.MOST_LEFT_OUT


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights: 10-25-100, 47,645 parameters."""
    return lenet5.build(width, left_out, (10, 25, 100))
