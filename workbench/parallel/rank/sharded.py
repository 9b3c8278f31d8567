"""Sharded data parallel: each rank stores 1/N of optimizer state, gradients and weights.

ZeRO (Rajbhandari et al. 2020, arXiv 1910.02054). ``zero1`` divides the optimizer's state by whole
parameters, like PyTorch's ZeroRedundancyOptimizer. ``zero2`` and ``zero3`` divide each parameter,
its gradient and its state, like FSDP2. ``zero2`` keeps the gathered weights from forward to
backward (``reshard_after_forward=False``); in stage 2 of the paper, every rank stores all weights.
The classes of PyTorch would load its compiler, which takes a third of a rank's memory.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from workbench.parallel.formulas import owners
from workbench.parallel.rank.data_parallel import Replica, Synchronized
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.strategy import Setup, make_optimizer
from workbench.parallel.rank.unit import Unit
from workbench.parallel.rank.uses import read_outside, steady


class ShardedOptimizer(Synchronized):
    """ZeRO-1: data parallel, and each rank updates the parameters whose state it holds."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        owner = owners({n: p.shape for n, p in self.parameters.items()}, setup.plan.ranks)
        self._parts = [
            [p for name, p in self.parameters.items() if owner[name] == rank]
            for rank in range(setup.plan.ranks)
        ]
        self.optimizer = make_optimizer(setup.plan, self._parts[setup.rank])

    def update(self, step: int) -> None:
        """Change this rank's share of the weights, and send it to the others."""
        self.optimizer.step()
        with torch.no_grad():
            for rank, parameters in enumerate(self._parts):
                if not parameters:
                    continue
                flat = torch.cat([p.flatten() for p in parameters])
                dist.broadcast(flat, rank)
                if rank != self.setup.rank:
                    sizes = [p.numel() for p in parameters]
                    for parameter, values in zip(parameters, flat.split(sizes), strict=True):
                        parameter.copy_(values.view_as(parameter))


class FullySharded(Replica):
    """``zero2`` and ``zero3``: each rank stores 1/N of each parameter, gradient and state.

    A block is gathered before its forward pass, and with ``zero3`` again when the backward pass
    first needs it.
    Its gradients are divided among the ranks as soon as they are there. All ranks reduce the blocks
    in the same order, the last first.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup, self.module = setup, setup.module
        self.parameters = trained(setup.module)
        self._frees = setup.plan.strategy == "zero3"
        self._forward = False
        self._units: list[Unit] = []
        self._waiting: list[Unit] = []
        taken: set[int] = set()
        for block in [*units(setup), setup.module]:
            parameters = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
            taken |= {id(p) for p in parameters}
            if parameters:  # none are left if all are in blocks
                self._attach(block, Unit(parameters, setup.rank, setup.plan.ranks))
        setup.module.register_forward_pre_hook(lambda *_arguments: self._begin_forward())
        setup.module.register_forward_hook(lambda *_arguments: self._end_forward())
        self.optimizer = make_optimizer(setup.plan, [s for u in self._units for s in u.shards])

    def backward(self, step: int) -> float:
        """Compute this rank's part of the gradient of the mean loss over all examples."""
        self._waiting = self._units[::-1]
        for unit in self._units:
            unit.begin_step()
        with saved_tensors_hooks(self._pack, _unpack):
            return super().backward(step)

    def complete_gradients(self) -> None:
        """Divide the gradients of blocks with weights that the loss does not depend on."""
        for unit in self._waiting:
            unit.reduce()
        for unit in self._units:
            unit.free()

    def gradients(self) -> dict[str, Tensor]:
        """Return the gradient, gathered from all ranks."""
        return self._named([unit.gradients() for unit in self._units])

    def weights(self) -> dict[str, Tensor]:
        """Return the weights, gathered from all ranks."""
        return self._named([unit.weights() for unit in self._units])

    def held(self) -> dict[str, list[Tensor]]:
        """Return this rank's parts."""
        shards = [shard for unit in self._units for shard in unit.shards]
        gradients = [shard.grad for shard in shards if shard.grad is not None]
        return {"weights": shards, "gradients": gradients}

    def _named(self, values: list[list[Tensor]]) -> dict[str, Tensor]:
        by_id = {
            id(parameter): value
            for unit, tensors in zip(self._units, values, strict=True)
            for parameter, value in zip(unit.parameters, tensors, strict=True)
        }
        return {name: by_id[id(parameter)] for name, parameter in self.parameters.items()}

    def _begin_forward(self) -> None:
        self._forward = True

    def _end_forward(self) -> None:
        self._forward = False

    def _attach(self, block: nn.Module, unit: Unit) -> None:
        self._units.append(unit)

        def before(*_arguments: Any) -> None:
            unit.gather()

        def after(*_arguments: Any) -> None:
            # a block that is computed again in the backward pass keeps its weights
            if self._frees and self._forward:
                unit.free()

        def count(_parameter: Tensor) -> None:
            unit.gather()  # as ZeRO-3 does, even if no operation of the block has saved a weight
            unit.count_gradient()
            if unit.complete:
                unit.free()
            while self._waiting and self._waiting[0].complete:
                self._waiting.pop(0).reduce()

        # before the hooks of the block's own, which may read its weights
        block.register_forward_pre_hook(before, prepend=True)
        block.register_forward_hook(after)
        for parameter in unit.parameters:
            parameter.register_post_accumulate_grad_hook(count)

    def _pack(self, tensor: Tensor) -> Any:
        """Return what autograd saves: a weight together with its block."""
        address = tensor.untyped_storage().data_ptr()
        for unit in self._units:
            if unit.gathered and unit.storage == address:
                return unit, tensor
        return tensor


def _unpack(saved: Any) -> Tensor:
    if isinstance(saved, Tensor):
        return saved
    unit, weight = saved
    unit.gather()
    assert isinstance(weight, Tensor)
    return weight


def units(setup: Setup) -> list[nn.Module]:
    """Return the blocks that are gathered one at a time: the elements of lists of modules.

    All other weights form the last unit, the network itself. These include the weights of a block
    that shares a weight with another block, whose weights are read from outside the block, or that
    only some examples use.
    """
    module = setup.module
    uses: dict[int, int] = {}
    for layer in module.modules():
        for parameter in layer.parameters(recurse=False):
            uses[id(parameter)] = uses.get(id(parameter), 0) + 1
    blocks = [
        block
        for container in module.modules()
        if isinstance(container, nn.ModuleList | nn.Sequential) and container is not module
        for block in container.children()
        if trained(block)
    ]
    inner = {id(layer) for block in blocks for layer in block.modules() if layer is not block}
    outer = [
        block
        for block in blocks
        if id(block) not in inner and all(uses[id(p)] == 1 for p in block.parameters())
    ]
    outside = read_outside(setup, {id(p): block for block in outer for p in block.parameters()})
    inside = {b: None for b in outer if not any(id(p) in outside for p in b.parameters())}
    return steady(setup, [*inside])  # a block in two lists once
