"""Data parallel: every rank has all weights, and examples of its own."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

from workbench.domain.losses import label_loss
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.strategy import (
    Optimizer,
    Setup,
    gradients_of,
    loss_scale,
    make_optimizer,
    run,
    shard,
)


class Replica:
    """A network that is trained without communication: one process, or the sync ``never``."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.module: nn.Module = setup.module
        self.parameters = trained(setup.module)
        self.optimizer: Optimizer = make_optimizer(setup.plan, self.parameters.values())

    def backward(self, step: int) -> float:
        """Compute the gradient of the mean loss over this rank's examples."""
        self.drop_gradients()
        inputs, labels, all_labels = shard(self.setup, step)
        outputs = run(self.module, inputs)
        loss = label_loss(outputs, labels)
        scale = loss_scale(self.setup, labels, all_labels) if self.setup.plan.synchronized else 1
        (loss * scale).backward()
        self.complete_gradients()
        return float(loss.detach())

    def complete_gradients(self) -> None:
        """Set the gradient to zero for weights that the loss does not depend on."""
        for parameter in self.parameters.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)

    def drop_gradients(self) -> None:
        """Drop the gradients of the step before."""
        self.optimizer.zero_grad()

    def update(self, step: int) -> None:
        """Change this replica's weights."""
        self.optimizer.step()

    def gradients(self) -> dict[str, Tensor]:
        """Return this replica's gradient."""
        return gradients_of(self.parameters)

    def weights(self) -> dict[str, Tensor]:
        """Return this replica's weights."""
        return {name: p.detach() for name, p in self.parameters.items()}

    def held(self) -> dict[str, list[Tensor]]:
        """Return the weights and gradients."""
        parameters = list(self.parameters.values())
        gradients = [p.grad for p in parameters if p.grad is not None]
        return {"weights": [p.detach() for p in parameters], "gradients": gradients}

    def finish(self) -> None:
        """Do nothing."""


class Averaging(Replica):
    """Replicas whose weights are averaged every k steps: local SGD (Stich, arXiv 1805.09767)."""

    def update(self, step: int) -> None:
        """Change this replica's weights; every k steps they become the mean of all replicas."""
        super().update(step)
        if (step + 1) % self.setup.plan.every:
            return
        with torch.no_grad():
            flat = torch.cat([p.flatten() for p in self.parameters.values()])
            dist.all_reduce(flat)
            flat /= self.setup.plan.ranks
            start = 0
            for parameter in self.parameters.values():
                parameter.copy_(flat[start : start + parameter.numel()].view_as(parameter))
                start += parameter.numel()


class Synchronized(Replica):
    """Replicas that average their gradients at every step, by one all-reduce of one buffer.

    This is PyTorch's DistributedDataParallel with a single bucket and without overlap (Li et al.,
    arXiv 2006.15704). That class loads the compiler of PyTorch, which would take a third of a
    rank's memory and most of the time to its first step.
    """

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        parameters = list(self.parameters.values())
        self._buffer = torch.zeros(sum(p.numel() for p in parameters))
        sizes = [p.numel() for p in parameters]
        parts = self._buffer.split(sizes)
        self._views = [part.view_as(p) for part, p in zip(parts, parameters, strict=True)]

    def backward(self, step: int) -> float:
        """Compute the gradient of the mean loss over the examples of all ranks."""
        loss = super().backward(step)
        dist.all_reduce(self._buffer)
        self._buffer /= self.setup.plan.ranks
        return loss

    def drop_gradients(self) -> None:
        """Set the gradients to zero; they stay views of the buffer."""
        self._buffer.zero_()
        for parameter, gradient in zip(self.parameters.values(), self._views, strict=True):
            parameter.grad = gradient
