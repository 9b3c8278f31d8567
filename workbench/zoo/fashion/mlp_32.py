"""A student: one hidden layer of 32."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.zoo.plan import TrainingPlan

PLAN = TrainingPlan(epochs=20, learning_rate=3e-3)


class Mlp32(nn.Module):
    """784-32-10 with ReLU; 25,450 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 32)
        self.fc2 = nn.Linear(32, 10)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Turn images [b, 1, 28, 28] into logits [b, 10]."""
        logits: Tensor = self.fc2(self.relu(self.fc1(x.flatten(1))))
        return logits


def build() -> nn.Module:
    """Make the network with fresh weights."""
    return Mlp32()
