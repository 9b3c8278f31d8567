"""A fingerprint of all that is a person's and must stay as it was."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

PLAIN = (bool, int, float, str, bytes, type(None), torch.dtype, torch.Size)

OWN = ("_modules", "_compiled_call_impl", "_flat_weight_refs")
"""What PyTorch keeps for itself and renews; modules are gone through one by one."""


def fingerprint(module: nn.Module, data: Any) -> dict[str, Any]:
    """Return what can be seen of a module, of data, and of PyTorch's and others' global state."""
    found: dict[str, Any] = {"data": _plain(data), **_global()}
    for name, layer in module.named_modules():
        for key, value in vars(layer).items():
            if key not in OWN:
                found[f"{name}.{key}"] = _plain(value)
    return found


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what differs between two fingerprints."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def same_bytes(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are of one dtype and shape and alike bit by bit, NaN included."""
    return _plain(one)[:3] == _plain(other)[:3]


def _global() -> dict[str, Any]:
    return {
        "torch's random numbers": torch.get_rng_state().numpy().tobytes(),
        "numpy's random numbers": repr(np.random.get_state()),  # noqa: NPY002 - the global one
        "python's random numbers": hash(random.getstate()),
        "threads": torch.get_num_threads(),
        "default dtype": torch.get_default_dtype(),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "fused attention": torch.backends.mha.get_fastpath_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "oneDNN": torch.backends.mkldnn.enabled,
    }


def _plain(value: Any) -> Any:
    """Return a value that is equal only for equal content; functions and such by identity."""
    if isinstance(value, Tensor):
        content = value.detach().contiguous().clone().flatten().view(torch.uint8).numpy().tobytes()
        seen = str(value.dtype), tuple(value.shape), hashlib.sha256(content).hexdigest()
        if not isinstance(value, nn.Parameter):
            return seen
        gradient = None if value.grad is None else _plain(value.grad)
        return *seen, value.data_ptr(), value.stride(), value.requires_grad, gradient
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Mapping):
        return [(_plain(key), _plain(one)) for key, one in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return id(value)
