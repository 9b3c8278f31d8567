"""Let an exported network keep the axis of a batch of one, which PyTorch's `squeeze` removes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

SQUEEZES = (torch.squeeze, Tensor.squeeze)


class KeepsBatchOfOne(TorchFunctionMode):
    """While PyTorch records a forward pass, lets `squeeze` remove axes that always have length 1.

    Without axes it would remove that of a batch of one as well, and keep it of other batches.
    Runtimes refuse such a network, or return outputs of another shape.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function of PyTorch."""
        named = kwargs or {}
        if func not in SQUEEZES or len(args) != 1 or named:
            return func(*args, **named)
        lengths = enumerate(args[0].shape)
        return func(args[0], tuple(n for n, size in lengths if isinstance(size, int) and size == 1))
