"""The parameters of one block, of which each rank keeps a part."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from workbench.parallel.formulas import held_of, part_of


class Unit:
    """Parameters that are gathered from all ranks and freed at the same time.

    The first axis of each parameter is cut into equal parts, one per rank, padded with zeros at the
    end. The parameters themselves lie in one storage, which is empty while they are not gathered.

    Parameters
    ----------
    parameters
        Of float32. Their values move into the unit; the objects stay those of the module.

    Attributes
    ----------
    shards : list of Tensor
        This rank's part of each parameter, of one axis and without padding; ``grad`` is its part
        of the gradient.
    complete : bool
        Whether every parameter has its gradient of this step.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], rank: int, ranks: int) -> None:
        self.parameters, self._ranks = list(parameters), ranks
        self._parts = [part_of(p.shape, ranks) for p in self.parameters]
        self._sizes = [held_of(p.shape, ranks, rank) for p in self.parameters]
        padded = self._padded([p.detach() for p in self.parameters])
        self._held = padded[rank].clone()
        self.shards = self._unpadded(self._held)
        full = torch.empty(sum(p.numel() for p in self.parameters))
        self._storage = full.untyped_storage()
        self._bytes = self._storage.nbytes()
        pieces = full.split([p.numel() for p in self.parameters])
        self._views = [
            piece.view(p.shape) for piece, p in zip(pieces, self.parameters, strict=True)
        ]
        for parameter, values in zip(self.parameters, self._views, strict=True):
            parameter.data = values
        self.gathered = True
        self._missing = len(self.parameters)
        self.free()

    @property
    def storage(self) -> int:
        """The address of the gathered parameters."""
        return self._storage.data_ptr()

    @property
    def complete(self) -> bool:
        """Whether every parameter has its gradient."""
        return self._missing == 0

    def gather(self) -> None:
        """Fill the parameters with the parts of all ranks."""
        if self.gathered:
            return
        self.gathered = True
        self._storage.resize_(self._bytes)
        for values, gathered in zip(self._views, self._gathered(self._held), strict=True):
            values.copy_(gathered)

    def free(self) -> None:
        """Keep this rank's part only."""
        self._storage.resize_(0)
        self.gathered = False

    def begin_step(self) -> None:
        """Expect the gradients of a new step."""
        self._missing = len(self.parameters)

    def count_gradient(self) -> None:
        """Note that one more parameter has its gradient."""
        self._missing -= 1

    def reduce(self) -> None:
        """Replace the gradients by this rank's part of their mean over all ranks.

        Parameters that the loss does not depend on have zeros.
        """
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        padded = self._padded(gradients)
        for parameter in self.parameters:
            parameter.grad = None
        mean = torch.empty_like(self._held)
        dist.reduce_scatter_tensor(mean, padded.view(-1))
        mean /= self._ranks
        for shard, gradient in zip(self.shards, self._unpadded(mean), strict=True):
            shard.grad = gradient

    def weights(self) -> list[Tensor]:
        """Return all parameters, gathered from all ranks."""
        return self._gathered(self._held)

    def gradients(self) -> list[Tensor]:
        """Return the mean gradients, gathered from all ranks."""
        held = torch.zeros_like(self._held)
        for part, shard in zip(self._unpadded(held), self.shards, strict=True):
            if shard.grad is not None:
                part.copy_(shard.grad)
        return self._gathered(held)

    def _unpadded(self, held: Tensor) -> list[Tensor]:
        """Return views of a rank's part of each parameter, without padding."""
        parts = held.split(self._parts)
        return [part[:size] for part, size in zip(parts, self._sizes, strict=True)]

    def _padded(self, tensors: Sequence[Tensor]) -> Tensor:
        """Return the parts of all ranks as rows."""
        rows = [
            functional.pad(t.flatten(), (0, part * self._ranks - t.numel())).view(self._ranks, part)
            for t, part in zip(tensors, self._parts, strict=True)
        ]
        return torch.cat(rows, 1)

    def _gathered(self, held: Tensor) -> list[Tensor]:
        rows = torch.empty(self._ranks, held.numel())
        dist.all_gather_into_tensor(rows.view(-1), held)
        return [
            columns.flatten()[: p.numel()].view(p.shape)
            for columns, p in zip(rows.split(self._parts, 1), self.parameters, strict=True)
        ]
