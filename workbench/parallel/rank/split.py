"""Linear layers and embeddings of which each rank has a part (Shoeybi et al., arXiv 1909.08053)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional


@dataclass(frozen=True)
class Cut:
    """How one axis of a parameter is divided among ranks.

    Attributes
    ----------
    sizes : tuple of int
        The length of each rank's part. If the axis cannot be divided equally, the first parts are
        longer by one.
    """

    axis: int
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, axis: int, size: int, ranks: int) -> Cut:
        """Return parts of about equal size."""
        quotient, rest = divmod(size, ranks)
        return cls(axis, tuple(quotient + (rank < rest) for rank in range(ranks)))

    def part(self, tensor: Tensor, rank: int) -> Tensor:
        """Return a rank's part of a tensor."""
        start = sum(self.sizes[:rank])
        return tensor.narrow(self.axis, start, self.sizes[rank])

    def gathered(self, part: Tensor) -> Tensor:
        """Return the tensor that all ranks have parts of; collectives need equal parts."""
        ranks, largest = len(self.sizes), max(self.sizes)
        row = part.movedim(self.axis, 0)
        missing = largest - len(row)
        if missing:
            row = torch.cat([row, row.new_zeros(missing, *row.shape[1:])])
        rows = row.new_empty(ranks, *row.shape)
        dist.all_gather_into_tensor(rows.flatten(), row.contiguous().flatten())
        parts = [each[:size] for each, size in zip(rows, self.sizes, strict=True)]
        return torch.cat(parts).movedim(0, self.axis)


class _Enter(Function):
    """The identity; the gradients of all ranks' parts add up."""

    @staticmethod
    def forward(_ctx: Any, inputs: Tensor) -> Tensor:
        return inputs.view_as(inputs)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        total = total.clone() if total is gradients[0] else total
        dist.all_reduce(total)
        return total


class _Add(Function):
    """The sum over all ranks; each rank's part has the gradient of the sum."""

    @staticmethod
    def forward(_ctx: Any, part: Tensor) -> Tensor:
        total = part.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _Join(Function):
    """The parts of all ranks along an axis, one after the other."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, cut: Cut, rank: int) -> Tensor:
        ctx.cut, ctx.rank = cut, rank
        # laid out like the output of a whole layer, and no view, so that it can change in place
        return cut.gathered(part).clone(memory_format=torch.contiguous_format)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return ctx.cut.part(gradients[0], ctx.rank).contiguous(), None, None


def split_columns(
    layer: nn.Linear | nn.Embedding, rank: int, ranks: int, *, joined: bool
) -> dict[str, Cut]:
    """Give a layer this rank's part of its outputs, and return how its parameters are cut.

    Parameters
    ----------
    joined
        Whether the layer still returns all outputs, else this rank's.
    """
    has_bias = "bias" in dict(layer.named_parameters(recurse=False))
    size = layer.out_features if isinstance(layer, nn.Linear) else layer.embedding_dim
    cuts = {"weight": Cut.of(0 if isinstance(layer, nn.Linear) else 1, size, ranks)}
    if has_bias:
        cuts["bias"] = Cut.of(0, size, ranks)
    _keep_parts(layer, cuts, rank)
    forward: Callable[[Tensor], Tensor] = layer.forward

    def split_forward(inputs: Tensor) -> Tensor:
        part = forward(_apply(_Enter, inputs) if inputs.requires_grad else inputs)
        return _apply(_Join, part, Cut.of(-1, size, ranks), rank) if joined else part

    layer.forward = split_forward  # type: ignore[method-assign,assignment]
    return cuts


def split_rows(layer: nn.Linear, rank: int, ranks: int) -> dict[str, Cut]:
    """Give a layer this rank's part of its inputs, and return how its parameters are cut."""
    cuts = {"weight": Cut.of(1, layer.in_features, ranks)}
    has_bias = "bias" in dict(layer.named_parameters(recurse=False))
    _keep_parts(layer, cuts, rank)

    def split_forward(inputs: Tensor) -> Tensor:
        total = _apply(_Add, functional.linear(inputs, layer.weight))
        return total + layer.bias if has_bias else total

    layer.forward = split_forward  # type: ignore[method-assign,assignment]
    return cuts


def _apply(function: type[Function], *arguments: Any) -> Tensor:
    result: Tensor = function.apply(*arguments)
    return result


def _keep_parts(layer: nn.Module, cuts: dict[str, Cut], rank: int) -> None:
    for name, cut in cuts.items():
        parameter = getattr(layer, name)
        part = cut.part(parameter.detach(), rank).clone(memory_format=torch.contiguous_format)
        parameter.data = part
