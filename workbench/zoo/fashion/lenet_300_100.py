"""LeNet-300-100: the fully connected network of LeCun et al. (1998), in its usual ReLU form."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.zoo.plan import TrainingPlan

PLAN = TrainingPlan(epochs=60, learning_rate=2e-3)


class LeNet300100(nn.Module):
    """784-300-100-10 with ReLU between; 266,610 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, 10)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Turn images [b, 1, 28, 28] into logits [b, 10]."""
        x = self.relu(self.fc1(x.flatten(1)))
        logits: Tensor = self.fc3(self.relu(self.fc2(x)))
        return logits


def build() -> nn.Module:
    """Make the network with fresh weights."""
    return LeNet300100()
