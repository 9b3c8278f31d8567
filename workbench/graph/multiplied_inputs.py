"""What is multiplied with weights that are held as [inputs, outputs], seen while a module runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from workbench.compression.axes import Axes

aten = torch.ops.aten
FIRST: dict[Any, int] = {aten.mm: 0, aten.addmm: 1, aten.bmm: 0, aten.baddbmm: 1}
"""The first of the two matrices among the arguments of what multiplies them."""
OBSERVED_AXES = Axes((1,), (0,))
"""Those of the weights that are seen."""


class MatmulObserver(TorchDispatchMode):
    """Calls ``see(name, vectors)`` for every product of vectors [n, inputs] with a weight.

    `weights` are matrices [inputs, outputs]. Products with a part of one are passed over.
    """

    def __init__(self, weights: Mapping[str, Tensor], see: Callable[[str, Tensor], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._names = {_place(weight): name for name, weight in weights.items()}
        self._see = see

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        first = FIRST.get(function.overloadpacket)
        if first is not None:
            left, right = (_matrix(one) for one in args[first : first + 2])
            if left.layout == right.layout == torch.strided:  # of graphs they may be sparse
                self._look(left, right)
        return function(*args, **(kwargs or {}))

    def _look(self, left: Tensor, right: Tensor) -> None:
        if (name := self._names.get(_place(right))) is not None:
            self._see(name, left)
        elif (name := self._names.get(_place(left.mT))) is not None:
            self._see(name, right.mT)


def _matrix(tensor: Tensor) -> Tensor:
    """Return the matrix in a batch of one."""
    return tensor[0] if tensor.ndim == 3 and len(tensor) == 1 else tensor


def _place(matrix: Tensor) -> tuple[Any, ...]:
    """Return what tells a view of a whole weight from all other tensors."""
    return matrix.data_ptr(), matrix.shape, matrix.stride()
