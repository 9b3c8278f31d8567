"""A student: two small convolutions and one layer."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.zoo.plan import TrainingPlan

PLAN = TrainingPlan(epochs=20, learning_rate=5e-3)


class Cnn10k(nn.Module):
    """8 and 28 filters of 5x5 with pooling, then 448-10; 10,326 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5)
        self.conv2 = nn.Conv2d(8, 28, 5)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(448, 10)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Turn images [b, 1, 28, 28] into logits [b, 10]."""
        x = self.relu(self.pool(self.conv1(x)))
        x = self.relu(self.pool(self.conv2(x)))
        logits: Tensor = self.fc(x.flatten(1))
        return logits


def build() -> nn.Module:
    """Make the network with fresh weights."""
    return Cnn10k()
