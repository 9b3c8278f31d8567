"""Compute `nn.EmbeddingBag` from operators that inference runtimes have.

PyTorch writes it to ONNX as a loop that ONNX Runtime and OpenVINO refuse.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def with_plain_bags(module: nn.Module) -> nn.Module:
    """Let the bags of a private `module` take one row of indices for each example, and return it.

    Bags that are given by offsets, or have weights for their indices, run as before.
    """
    for layer in module.modules():
        if isinstance(layer, nn.EmbeddingBag):
            setattr(layer, "forward", partial(_bag, layer, layer.forward))  # noqa: B010 - a method
    return module


def _bag(
    layer: nn.EmbeddingBag,
    forward: Any,
    input: Tensor,
    *args: Any,
    **options: Any,
) -> Tensor:
    """Return the sum, mean or maximum of the embeddings of each row, [batch, dimension]."""
    if input.ndim != 2 or args or options or layer.max_norm is not None:
        result: Tensor = forward(input, *args, **options)
        return result
    vectors = functional.embedding(input, layer.weight)  # [batch, indices, dimension]
    padding = layer.padding_idx
    if padding is None:
        return _reduced(vectors, layer.mode)
    counted = (input != padding).unsqueeze(-1)
    if layer.mode == "max":
        largest = vectors.masked_fill(~counted, -torch.inf).amax(1)
        return torch.where(counted.any(1), largest, 0.0)
    total = (vectors * counted).sum(1)
    return total if layer.mode == "sum" else total / counted.sum(1).clamp(min=1)


def _reduced(vectors: Tensor, mode: str) -> Tensor:
    if mode == "max":
        return vectors.amax(1)
    return vectors.sum(1) if mode == "sum" else vectors.mean(1)
