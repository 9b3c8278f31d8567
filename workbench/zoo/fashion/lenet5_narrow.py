"""A student: LeNet-5 with half the filters and a fifth of the hidden layer."""

from __future__ import annotations

from torch import nn

from workbench.zoo.fashion.lenet5 import LeNet5
from workbench.zoo.plan import TrainingPlan

PLAN = TrainingPlan(epochs=20, learning_rate=3e-3)


def build() -> nn.Module:
    """Make the network with fresh weights: 10-25-100, 47,645 parameters."""
    return LeNet5(filters=10, more=25, hidden=100)
