"""A student network: two small convolutions and a linear layer."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=20, learning_rate=5e-3)
MOST_LEFT_OUT = 1


class Cnn10k(nn.Module):
    """8 and 28 filters of 5x5 with pooling, then 448-10; 10,326 parameters.

    `filters` and `more` are the numbers of filters. `more=0` omits the second convolution.
    """

    def __init__(self, filters: int = 8, more: int = 28) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, filters, 5)
        self.conv2 = nn.Conv2d(filters, more, 5) if more else None
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(16 * more or 144 * filters, 10)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map images [b, 1, 28, 28] to logits [b, 10]."""
        x = self.relu(self.pool(self.conv1(x)))
        if self.conv2 is not None:
            x = self.relu(self.pool(self.conv2(x)))
        logits: Tensor = self.fc(x.flatten(1))
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without its second convolution if `left_out`."""
    return Cnn10k(scaled(8, width), 0 if left_out else scaled(28, width))
