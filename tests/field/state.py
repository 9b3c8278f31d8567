"""A fingerprint of everything of the user's that must not change."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ATOMS = (bool, int, float, str, bytes, type(None), torch.dtype, torch.Size)

INTERNAL = ("_modules", "_compiled_call_impl", "_flat_weight_refs")
"""Attributes that PyTorch manages; modules are visited one by one."""


def fingerprint(module: nn.Module, data: Any) -> dict[str, Any]:
    """Return the state of a module, of data, and the global state of PyTorch, NumPy and Python."""
    state: dict[str, Any] = {"data": _comparable(data), **_global()}
    for name, layer in module.named_modules():
        for key, value in vars(layer).items():
            if key not in INTERNAL:
                state[f"{name}.{key}"] = _comparable(value)
    return state


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names of entries that differ between two fingerprints."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def same_bytes(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same dtype, shape and bits, including NaN."""
    return _comparable(one)[:3] == _comparable(other)[:3]


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


def _comparable(value: Any) -> Any:
    """Return a value that is equal only for equal content; functions are compared by identity."""
    if isinstance(value, Tensor):
        content = value.detach().contiguous().clone().flatten().view(torch.uint8).numpy().tobytes()
        key = str(value.dtype), tuple(value.shape), hashlib.sha256(content).hexdigest()
        if not isinstance(value, nn.Parameter):
            return key
        gradient = None if value.grad is None else _comparable(value.grad)
        return *key, value.data_ptr(), value.stride(), value.requires_grad, gradient
    if isinstance(value, ATOMS):
        return value
    if isinstance(value, Mapping):
        return [(_comparable(key), _comparable(item)) for key, item in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [_comparable(item) for item in value]
    return id(value)
