"""Observe the inputs that are multiplied with weights of shape [inputs, outputs]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from workbench.compression.axes import Axes

aten = torch.ops.aten
FIRST: dict[Any, int] = {aten.mm: 0, aten.addmm: 1, aten.bmm: 0, aten.baddbmm: 1}
"""For each product, the index of the first matrix among its arguments."""
OBSERVED_AXES = Axes((1,), (0,))
"""The axes of the observed weights."""


class MatmulObserver(TorchDispatchMode):
    """Calls ``observe(name, vectors)`` for every product of vectors [n, inputs] with a weight.

    `weights` are matrices [inputs, outputs]. Products with a part of a weight are ignored.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], observe: Callable[[str, Tensor], None]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._names = {_key(weight): name for name, weight in weights.items()}
        self._observe = observe

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        first = FIRST.get(function.overloadpacket)
        if first is not None:
            a, b = (_matrix(argument) for argument in args[first : first + 2])
            if a.layout == b.layout == torch.strided:  # graph networks have sparse ones
                self._match(a, b)
        return function(*args, **(kwargs or {}))

    def _match(self, a: Tensor, b: Tensor) -> None:
        if (name := self._names.get(_key(b))) is not None:
            self._observe(name, a)
        elif (name := self._names.get(_key(a.mT))) is not None:
            self._observe(name, b.mT)


def _matrix(tensor: Tensor) -> Tensor:
    """Return the matrix of a batch of one."""
    return tensor[0] if tensor.ndim == 3 and len(tensor) == 1 else tensor


def _key(matrix: Tensor) -> tuple[Any, ...]:
    """Return a key that only views of an entire weight share."""
    return matrix.data_ptr(), matrix.shape, matrix.stride()
