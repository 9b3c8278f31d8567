"""Counting multiply-adds: what PyTorch's own counter does not know is added here."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


def _recurrence(inputs: Any, from_input: Any, from_state: Any, *args: Any, **kwargs: Any) -> int:
    """Count one direction of one LSTM layer; `inputs` is [steps, examples, features]."""
    steps, examples = _shape(inputs)[:2]
    return 2 * steps * examples * (prod(_shape(from_input)) + prod(_shape(from_state)))


def _attention(
    query: Any, key: Any, value: Any, size: int, heads: int, fused: Any, *args: Any, **kwargs: Any
) -> int:
    """Count attention of places to each other; `query` is [examples, places, size]."""
    examples, places = _shape(query)[:2]
    projections = prod(_shape(fused)) + size * size
    return 2 * examples * places * (projections + 2 * places * size)


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of a tensor, or what PyTorch's counter hands in for one."""
    return tuple(value.shape if isinstance(value, Tensor) else value)


FLOP_FORMULAS = {
    torch.ops.aten.mkldnn_rnn_layer: _recurrence,
    torch.ops.aten._native_multi_head_attention: _attention,  # noqa: SLF001 - its own name
}
"""Floating-point operations of fused kernels, from their arguments or the arguments' shapes."""


class FlopCounter(TorchDispatchMode):
    """Adds up the floating-point operations of matrix products and convolutions inside it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = function(*args, **(kwargs or {}))
        kernel = function._overloadpacket  # noqa: SLF001 - its own key
        formula: Any = FLOP_FORMULAS.get(kernel) or flop_registry.get(kernel)
        if formula is not None:
            self.flops += int(formula(*args, **(kwargs or {}), out_val=out))
        return out
