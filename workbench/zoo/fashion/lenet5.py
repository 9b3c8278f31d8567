"""LeNet-5 as Caffe's MNIST example has it, the one that pruning papers report on.

It differs from LeCun et al. (1998): 20 and 50 filters, max pooling, and no non-linearity after
the convolutions but the pooling.
"""

from __future__ import annotations

from torch import Tensor, nn

from workbench.zoo.plan import TrainingPlan

PLAN = TrainingPlan(epochs=30, learning_rate=2e-3)


class LeNet5(nn.Module):
    """Two 5x5 convolutions with pooling and two layers; 20-50-500 has 431,080 parameters.

    `filters` and `more` count the filters of the convolutions, `hidden` the units between.
    """

    def __init__(self, filters: int = 20, more: int = 50, hidden: int = 500) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, filters, 5)
        self.conv2 = nn.Conv2d(filters, more, 5)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * more, hidden)
        self.fc2 = nn.Linear(hidden, 10)
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
    return LeNet5()
