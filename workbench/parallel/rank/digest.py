"""A digest of weights, and their distance from others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def digest(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (hex) of the names and bytes of all weights, in the order of names."""
    content = hashlib.sha256()
    for name in sorted(weights):
        content.update(name.encode())
        # a copy, because a part of one number counts as contiguous whatever its stride is
        numbers = weights[name].detach().clone(memory_format=torch.contiguous_format)
        content.update(numbers.reshape(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()


def distance(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """Return the relative L2 distance of all of `first` from `second`, in float64."""
    squares = sum(float((first[n].double() - second[n].double()).square().sum()) for n in second)
    norm = sum(float(tensor.double().square().sum()) for tensor in second.values())
    return float((squares / norm) ** 0.5) if norm else float(squares**0.5)
