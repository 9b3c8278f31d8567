"""Copies of modules, with other tensors in place of some.

They are those of `copy.deepcopy`, in about half the time: most of a module's attributes are numbers
and empty tables of hooks.
"""

from __future__ import annotations

import copy
import copyreg
from collections import OrderedDict
from typing import Any

import torch
from torch import nn

from workbench.domain.module_tensors import stored_tensors
from workbench.runtime.nested import tensors_directly_in

IMMUTABLE = frozenset({type(None), bool, int, float, str})
"""Types of values that copies share, as those of `copy.deepcopy` do."""
EMPTY = (dict, OrderedDict, set, list)
"""Types whose empty values are the most frequent attributes: tables of hooks."""


def meta_copy(module: nn.Module) -> nn.Module:
    """Return a copy of `module` whose parameters and saved buffers have no values."""
    empty: dict[int, Any] = {
        id(p): nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=p.requires_grad)
        for p in module.parameters()
    }
    for tensor in stored_tensors(module).values():
        if id(tensor) not in empty:
            empty[id(tensor)] = torch.empty_like(tensor, device="meta")
    copied = deep_copy(module, empty)
    for layer in copied.modules():
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            layer.sparse = False  # pruning masks and fake quantization have no sparse gradients
    return copied


def deep_copy(module: nn.Module, replacements: dict[int, Any]) -> nn.Module:
    """Return a deep copy of `module` with replacements for some tensors, by their `id`."""
    for layer in module.modules():
        for value in vars(layer).values():
            if type(value) in IMMUTABLE:
                continue
            for tensor in tensors_directly_in(value):
                if tensor.grad_fn is not None:  # deepcopy refuses such tensors
                    replacements.setdefault(id(tensor), tensor.detach().clone())
    copied: nn.Module = _copied(module, replacements)
    return copied


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    kind: Any = type(value)
    if kind in IMMUTABLE or (kind is tuple and all(type(item) in IMMUTABLE for item in value)):
        return value
    if id(value) in memo:
        return memo[id(value)]
    if kind in EMPTY and not value:
        return memo.setdefault(id(value), kind())
    if kind is dict and all(type(key) is str for key in value):
        copied = memo[id(value)] = {}
        copied.update((key, _copied(item, memo)) for key, item in value.items())
        return copied
    if isinstance(value, nn.Module) and _is_plain(value):
        module = memo[id(value)] = kind.__new__(kind)
        state = value.__getstate__()
        memo.setdefault(id(memo), []).append(state)  # as `copy.deepcopy`: `memo` has its parts' ids
        module.__setstate__(_copied(state, memo))
        return module
    return copy.deepcopy(value, memo)


def _is_plain(module: nn.Module) -> bool:
    """Return whether `copy.deepcopy` copies the state of a module, and nothing else."""
    kind: Any = type(module)
    methods = ("__getnewargs__", "__getnewargs_ex__")
    return not (
        hasattr(module, "__deepcopy__")
        or any(hasattr(kind, name) for name in methods)
        or any(getattr(kind, x) != getattr(object, x) for x in ("__reduce__", "__reduce_ex__"))
        or kind in copyreg.dispatch_table
    )
