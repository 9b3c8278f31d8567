"""Sharded data parallel: each rank holds a part of optimizer state, gradients and weights.

ZeRO (Rajbhandari et al., arXiv 1910.02054). Stage 1 distributes the optimizer's state by whole
parameters, like PyTorch's ZeroRedundancyOptimizer, which would load the compiler of PyTorch. Stages
2 and 3 are FSDP2 (`fully_shard`), which splits each parameter along its first axis; stage 2 keeps
the gathered weights from forward to backward.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh

from workbench.parallel.formulas import owners
from workbench.parallel.rank.data_parallel import Synchronized
from workbench.parallel.rank.distributed_replica import DistributedReplica
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.strategy import Setup, UnsupportedError, make_optimizer


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


class FullySharded(DistributedReplica):
    """ZeRO-2 and ZeRO-3 with FSDP2."""

    def __init__(self, setup: Setup) -> None:
        from torch.distributed.fsdp import fully_shard

        scalars = [name for name, p in setup.module.named_parameters() if p.dim() == 0]
        if scalars:
            raise UnsupportedError(
                f"The scalar parameter {scalars[0]} cannot be divided among ranks; give it the "
                "shape (1,), or use strategy='data' or 'zero1'.",
                code="parallel.scalar_parameter",
            )
        mesh = DeviceMesh("cpu", torch.arange(setup.plan.ranks))
        free = setup.plan.strategy == "zero3"
        for unit in [*units(setup.module), setup.module]:
            fully_shard(unit, mesh=mesh, reshard_after_forward=free)
        super().__init__(setup)


def units(module: nn.Module) -> list[nn.Module]:
    """Return the blocks that are gathered one at a time: the elements of lists of modules.

    Weights outside of such blocks belong to the network as the last unit. A block that shares a
    weight with others is part of that unit too.
    """
    owners: dict[int, int] = {}
    for layer in module.modules():
        for parameter in layer.parameters(recurse=False):
            owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    blocks = [
        block
        for container in module.modules()
        if isinstance(container, nn.ModuleList | nn.Sequential) and container is not module
        for block in container.children()
        if trained(block)
    ]
    inner = {id(layer) for block in blocks for layer in block.modules() if layer is not block}
    return [
        block
        for block in blocks
        if id(block) not in inner and all(owners[id(p)] == 1 for p in block.parameters())
    ]
