"""What every strategy offers to the training loop of a rank."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from workbench.errors import InputError
from workbench.parallel.plan import Plan
from workbench.parallel.rank.clock import Clock
from workbench.parallel.rank.examples import Examples, loss_terms
from workbench.parallel.rank.optimizers import Adam, Sgd
from workbench.runtime.batch import Batch, outputs_of


class UnsupportedError(InputError):
    """A strategy cannot run this network; the message says why."""

    default_code = "parallel.unsupported"


@dataclass
class Setup:
    """What a strategy is made from.

    Attributes
    ----------
    module : nn.Module
        The network with its initial weights.
    shared : path or None
        The file of the weights that all ranks update.
    """

    plan: Plan
    rank: int
    module: nn.Module
    examples: Examples
    clock: Clock
    shared: Any = None


class Strategy(Protocol):
    """One rank's part of a training run."""

    optimizer: Optimizer

    def backward(self, step: int) -> float:
        """Compute the gradient of a step; return this rank's loss."""

    def update(self, step: int) -> None:
        """Change the weights by the gradient."""

    def gradients(self) -> dict[str, Tensor]:
        """Return the gradient of all weights; every rank calls it at the same time."""

    def weights(self) -> dict[str, Tensor]:
        """Return all weights as this rank sees them; every rank calls it at the same time."""

    def held(self) -> dict[str, list[Tensor]]:
        """Return the tensors that this rank holds, as ``weights`` and ``gradients``."""

    def finish(self) -> None:
        """End the training."""


class Optimizer(Protocol):
    """What the training loop needs of an optimizer."""

    state: Any

    def zero_grad(self) -> None:
        """Drop all gradients."""

    def step(self) -> Any:
        """Change the parameters."""


def make_optimizer(plan: Plan, parameters: Iterable[Tensor]) -> Optimizer:
    """Return the optimizer of a plan."""
    kind = {"sgd": Sgd, "adam": Adam}[plan.optimizer]
    return kind(parameters, plan.learning_rate)


def run(module: Callable[..., Any], inputs: Batch) -> Tensor:
    """Return the outputs of a module for a batch."""
    if inputs.names is None:
        outputs = outputs_of(module(*inputs.tensors))
    else:
        outputs = outputs_of(module(**dict(zip(inputs.names, inputs.tensors, strict=True))))
    assert isinstance(outputs, Tensor)
    return outputs


def loss_scale(setup: Setup, labels: Tensor, all_labels: Tensor) -> float:
    """Return the factor of a rank's mean loss with which the mean over ranks is the total loss.

    With the weighting ``examples`` it is the share of its examples in all, times the number of
    ranks. With ``ranks`` it is 1: every rank has the same weight, whatever its number of examples.
    """
    if setup.plan.weighting == "ranks":
        return 1.0
    return loss_terms(labels) / max(1, loss_terms(all_labels)) * setup.plan.ranks


def shard(setup: Setup, step: int) -> tuple[Batch, Tensor, Tensor]:
    """Return this rank's inputs and labels of a step, and the labels of all ranks."""
    sizes = setup.plan.sizes
    first = sum(sizes[: setup.rank])
    inputs, labels = setup.examples.step(step, first, sizes[setup.rank])
    return inputs, labels, setup.examples.step(step)[1]


def gradients_of(parameters: Mapping[str, nn.Parameter | Tensor]) -> dict[str, Tensor]:
    """Return the gradients by name, zeros where there is none."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in parameters.items()
    }
