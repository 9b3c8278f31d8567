"""LeNet-5 as in Caffe's MNIST example, which pruning papers report on.

It differs from LeCun et al. (1998): 20 and 50 filters, max pooling, and no non-linearity after the
convolutions except the pooling.
"""

from __future__ import annotations

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=30, learning_rate=2e-3)
MOST_LEFT_OUT = 1


class LeNet5(nn.Module):
    """Two 5x5 convolutions with pooling, two linear layers; 20-50-500 has 431,080 parameters.

    `filters` and `more` are the numbers of filters, `hidden` the number of hidden units.
    `hidden=0` omits the hidden layer.
    """

    def __init__(self, filters: int = 20, more: int = 50, hidden: int = 500) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, filters, 5)
        self.conv2 = nn.Conv2d(filters, more, 5)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * more, hidden) if hidden else None
        self.fc2 = nn.Linear(hidden or 16 * more, 10)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map images [b, 1, 28, 28] to logits [b, 10]."""
        x = self.pool(self.conv1(x))
        x = self.pool(self.conv2(x))
        x = x.flatten(1)
        if self.fc1 is not None:
            x = self.relu(self.fc1(x))
        logits: Tensor = self.fc2(x)
        return logits


def build(
    width: float = 1.0, left_out: int = 0, sizes: tuple[int, int, int] = (20, 50, 500)
) -> nn.Module:
    """Return the network with initial weights, without its hidden layer if `left_out`."""
    filters, more, hidden = (scaled(size, width) for size in sizes)
    return LeNet5(filters, more, 0 if left_out else hidden)
