"""Data parallel: every rank has all weights and other examples."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from workbench.domain.losses import label_loss
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.strategy import (
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
        self.optimizer = make_optimizer(setup.plan, self.parameters.values())

    def backward(self, step: int) -> float:
        """Compute the gradient of the mean loss over this rank's examples."""
        self.optimizer.zero_grad()
        inputs, labels, all_labels = shard(self.setup, step)
        outputs = run(self.module, inputs)
        loss = label_loss(outputs, labels)
        scale = loss_scale(self.setup, labels, all_labels) if self.setup.plan.synchronized else 1
        (loss * scale).backward()
        return float(loss.detach())

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
    """DistributedDataParallel: the gradients are averaged in each backward pass."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        unused = bool(_unused(setup))
        self.module = DistributedDataParallel(
            setup.module, gradient_as_bucket_view=True, find_unused_parameters=unused
        )


def _unused(setup: Setup) -> list[str]:
    """Return the parameters that get no gradient, which DDP must know in advance."""
    inputs, labels = setup.examples.step(0, 0, 1)
    loss = label_loss(run(setup.module, inputs), labels)
    parameters = trained(setup.module)
    gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    pairs: Iterable[tuple[str, Tensor | None]] = zip(parameters, gradients, strict=True)
    return [name for name, gradient in pairs if gradient is None]
