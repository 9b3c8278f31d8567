"""A student: LeNet-5 with half the filters and a fifth of the hidden layer."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.zoo.plan import TrainingPlan

PLAN = TrainingPlan(epochs=20, learning_rate=3e-3)


class LeNet5Narrow(nn.Module):
    """10 and 25 filters of 5x5 with pooling, then 400-100-10; 47,645 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(10, 25, 5)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(400, 100)
        self.fc2 = nn.Linear(100, 10)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Turn images [b, 1, 28, 28] into logits [b, 10]."""
        x = self.pool(self.conv1(x))
        x = self.pool(self.conv2(x))
        x = self.relu(self.fc1(x.flatten(1)))
        logits: Tensor = self.fc2(x)
        return logits


def build() -> nn.Module:
    """Make the network with fresh weights."""
    return LeNet5Narrow()
