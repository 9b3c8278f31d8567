"""A replica whose tensors are distributed over the ranks."""

from __future__ import annotations

from torch import Tensor

from workbench.parallel.rank.data_parallel import Replica
from workbench.parallel.rank.distributed_tensors import full, part


class DistributedReplica(Replica):
    """A network of which each rank holds a part of each tensor."""

    def gradients(self) -> dict[str, Tensor]:
        """Return the gradient, gathered from all ranks."""
        return {name: full(grad) for name, grad in super().gradients().items()}

    def weights(self) -> dict[str, Tensor]:
        """Return the weights, gathered from all ranks."""
        return {name: full(weight) for name, weight in super().weights().items()}

    def held(self) -> dict[str, list[Tensor]]:
        """Return this rank's parts."""
        return {kind: [part(t) for t in parts] for kind, parts in super().held().items()}
