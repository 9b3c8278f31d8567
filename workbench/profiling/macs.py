"""FLOP counting, with formulas for fused kernels that PyTorch's own counter lacks."""

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
    """Count self-attention; `query` is [examples, positions, size]."""
    examples, positions = _shape(query)[:2]
    projections = prod(_shape(fused)) + size * size
    return 2 * examples * positions * (projections + 2 * positions * size)


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of a tensor; PyTorch's counter passes shapes instead of tensors."""
    return tuple(value.shape if isinstance(value, Tensor) else value)


FLOP_FORMULAS = {
    torch.ops.aten.mkldnn_rnn_layer: _recurrence,
    torch.ops.aten._native_multi_head_attention: _attention,  # noqa: SLF001 - no public name
}
"""Floating-point operations of fused kernels, from their arguments or the shapes of these."""


class FlopCounter(TorchDispatchMode):
    """Counts the floating-point operations of matrix products and convolutions in its context."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = function(*args, **(kwargs or {}))
        kernel = function._overloadpacket  # noqa: SLF001 - the registry's key
        formula: Any = FLOP_FORMULAS.get(kernel) or flop_registry.get(kernel)
        if formula is not None:
            self.flops += int(formula(*args, **(kwargs or {}), out_val=out))
        return out
