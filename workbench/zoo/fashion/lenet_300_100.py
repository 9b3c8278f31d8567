"""LeNet-300-100: the fully connected network of LeCun et al. (1998), with ReLU activations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from workbench.domain.training_plan import TrainingPlan
from workbench.zoo.widths import scaled

PLAN = TrainingPlan(epochs=60, learning_rate=2e-3)
MOST_LEFT_OUT = 1


class LeNet300100(nn.Module):
    """784-300-100-10 with ReLU; 266,610 parameters. `hidden` are the numbers of hidden units."""

    def __init__(self, hidden: Sequence[int] = (300, 100)) -> None:
        super().__init__()
        self.depth = len(hidden) + 1
        for number, sizes in enumerate(pairwise((784, *hidden, 10)), 1):
            self.add_module(f"fc{number}", nn.Linear(*sizes))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map images [b, 1, 28, 28] to logits [b, 10]."""
        x = x.flatten(1)
        for number in range(1, self.depth):
            x = self.relu(self.get_submodule(f"fc{number}")(x))
        logits: Tensor = self.get_submodule(f"fc{self.depth}")(x)
        return logits


def build(width: float = 1.0, left_out: int = 0) -> nn.Module:
    """Return the network with initial weights, without its last hidden layer if `left_out`."""
    hidden = (300, 100)[: 2 - left_out]
    return LeNet300100([scaled(units, width) for units in hidden])
