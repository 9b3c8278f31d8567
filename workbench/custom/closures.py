"""Find references from a copied module to its original, and views of parameters."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from workbench.runtime.nested import tensors_directly_in

_OF_LAYERS = frozenset((*vars(nn.Module()), "_flat_weights"))
"""Attributes that PyTorch itself stores in layers."""


def refers_to(private: nn.Module, original: nn.Module) -> bool:
    """Whether a deep copy `private` still refers to layers or weights of `original`.

    ``copy.deepcopy`` does not copy functions, so a closure over ``self`` still refers to the
    original. Global variables of functions are not searched, nor are objects whose class sets
    `uses_only_given_weights`, such as the wrapper of a Keras model, which use no weights that they
    hold.
    """
    targets = {id(x) for x in (*original.modules(), *original.parameters())}
    targets -= {id(x) for x in (*private.modules(), *private.parameters())}
    seen: set[int] = set()
    pending: list[Any] = [private]
    while pending:
        value = pending.pop()
        if id(value) in targets:
            return True
        if id(value) not in seen:
            seen.add(id(value))
            trusted = getattr(type(value), "uses_only_given_weights", False)
            pending.extend(() if trusted else _contents(value))
    return False


def parameter_view(module: nn.Module) -> str | None:
    """Return the name of a parameter of which a layer stores a view in an attribute, if any.

    When the weights are replaced, such a view still shows the original ones.
    """
    registered = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
    names = {p.untyped_storage().data_ptr(): n for n, p in module.named_parameters() if p.numel()}
    for layer in module.modules():
        for attribute, value in vars(layer).items():
            if attribute in _OF_LAYERS or {f"{attribute}_orig", f"{attribute}_v"} & {
                *layer._parameters  # noqa: SLF001 - such attributes are recomputed by a hook
            }:
                continue
            for item in tensors_directly_in(value):
                if id(item) not in registered and item.numel():
                    name = names.get(_storage(item))
                    if name is not None:
                        return name
    return None


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else 0


def _contents(value: Any) -> Iterable[Any]:
    """Return the objects inside `value` that may lead to a module or a function."""
    for types, contents in CONTENTS.items():
        if isinstance(value, types):
            return contents(value)
    return [v for name, v in getattr(value, "__dict__", {}).items() if name not in _REFERENCES]


def _of_function(function: Any) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # an empty cell
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


CONTENTS: dict[tuple[type, ...], Callable[[Any], Iterable[Any]]] = {
    (Tensor, str, bytes, int, float, type, ModuleType): lambda value: (),
    (FunctionType,): _of_function,
    (MethodType,): lambda method: (method.__self__,),
    (partial,): lambda bound: (bound.func, *bound.args, *bound.keywords.values()),
    (Mapping,): lambda mapping: mapping.values(),
    (list, tuple, set): lambda items: items,
    (weakref.ref,): lambda reference: (reference(),),
}
"""The contents of objects by type; of other objects, the attributes are searched."""
_REFERENCES = frozenset(("_flat_weight_refs",))
"""References of recurrent layers that PyTorch recreates when it needs them."""
