"""A student network: one hidden layer of 32 units."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=20, learning_rate=3e-3)
MOST_LEFT_OUT = 1


class Mlp32(nn.Module):
    """784-32-10 with ReLU; 25,450 parameters. `hidden=0` omits the hidden layer."""

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, hidden) if hidden else None
        self.fc2 = nn.Linear(hidden or 784, 10)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map images [b, 1, 28, 28] to logits [b, 10]."""
        x = x.flatten(1)
        if self.fc1 is not None:
            x = self.relu(self.fc1(x))
        logits: Tensor = self.fc2(x)
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without its hidden layer if `left_out`."""
    return Mlp32(0 if left_out else scaled(32, width))
