"""SGD and Adam with the arithmetic of PyTorch.

The optimizers of PyTorch load its compiler, which takes more memory and time than all else in a
rank.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import torch
from torch import Tensor


class Sgd:
    """Stochastic gradient descent without momentum; it has no state."""

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change each parameter that has a gradient."""
        for parameter in self.parameters:
            if parameter.grad is not None:
                self.change(parameter, parameter.grad)

    def change(self, parameter: Tensor, gradient: Tensor) -> None:
        """Change one parameter."""
        parameter.add_(gradient, alpha=-self.learning_rate)


class Adam(Sgd):
    """Adam (Kingma and Ba, arXiv 1412.6980): two moments for each weight."""

    BETAS = 0.9, 0.999
    EPSILON = 1e-8

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        super().__init__(parameters, learning_rate)
        self._steps = 0

    def step(self) -> None:
        """Change each parameter that has a gradient."""
        self._steps += 1
        super().step()

    def change(self, parameter: Tensor, gradient: Tensor) -> None:
        """Change one parameter and its moments."""
        if parameter not in self.state:
            zeros = {name: torch.zeros_like(parameter) for name in ("mean", "square")}
            self.state[parameter] = zeros
        mean, square = self.state[parameter].values()
        first, second = self.BETAS
        mean.lerp_(gradient, 1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        root = sqrt(1 - second**self._steps)
        denominator = (square.sqrt() / root).add_(self.EPSILON)
        size = self.learning_rate / (1 - first**self._steps)
        parameter.addcdiv_(mean, denominator, value=-size)
