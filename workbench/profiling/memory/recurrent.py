"""Memory of oneDNN's LSTM kernel, which PyTorch uses for float32 on the CPU.

In training, one call for a layer and direction returns a workspace with gates, states and their
gradients for the backward pass. PyTorch's shape functions say that it is empty, so its size is
computed here; for the sizes in the tests it is that of real calls, byte by byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

NUMBER_BYTES = 4
CACHE_LINE = 16
"""Numbers of a cache line, to whose multiples rows are extended."""
CONFLICTS = 256
"""Rows of a multiple of this many numbers get one more cache line."""
LAYER = torch.ops.aten.mkldnn_rnn_layer.default
BACKWARD = torch.ops.aten.mkldnn_rnn_layer_backward.default
PAGE = 1024
"""Numbers of a page of memory, at which each part begins."""
TRAIN = 15
"""The position of the argument that says whether the layer is trained."""


def saved_workspace(function: Any, args: Sequence[Any]) -> int:
    """Return the bytes that an LSTM layer keeps for its backward pass; 0 for other functions."""
    if function is not LAYER or not args[TRAIN]:
        return 0
    inputs: Tensor = args[0]
    steps, examples, features = inputs.shape
    hidden = _hidden(args)
    state = _pages((steps + 1) * examples * _row(hidden))
    widest = _pages((steps + 1) * examples * _row(max(features, hidden)))
    parts = _gates(args), _pages(steps * examples * _row(hidden))
    return NUMBER_BYTES * (sum(parts) + 2 * (3 * widest + 2 * state))


def scratch(function: Any, args: Sequence[Any]) -> int:
    """Return the bytes that an LSTM layer needs while it runs; 0 for other functions."""
    if function not in {LAYER, BACKWARD}:
        return 0
    weights: Sequence[Tensor] = args[1:3]
    return NUMBER_BYTES * _gates(args) + sum(
        weight.numel() * weight.element_size() for weight in weights
    )


def _gates(args: Sequence[Any]) -> int:
    """Return how many numbers the gates of all steps take."""
    inputs: Tensor = args[0]
    steps, examples, _features = inputs.shape
    return _pages(steps * examples * _row(4 * _hidden(args)))


def _hidden(args: Sequence[Any]) -> int:
    recurrent: Tensor = args[2]
    return recurrent.shape[1]


def _row(numbers: int) -> int:
    extended = -(-numbers // CACHE_LINE) * CACHE_LINE
    return extended if extended % CONFLICTS else extended + CACHE_LINE


def _pages(numbers: int) -> int:
    return -(-numbers // PAGE) * PAGE
