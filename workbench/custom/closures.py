"""Whether functions that a module holds still refer to the module that it was copied from."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

_OF_LAYERS = frozenset((*vars(nn.Module()), "_flat_weights"))
"""What PyTorch keeps in its layers."""


def refers_to(private: nn.Module, original: nn.Module) -> bool:
    """Return whether a deep copy `private` still refers to layers or weights of `original`.

    Functions are not copied, so one that was made inside the module and holds `self` does. What
    functions find in global variables is not looked at, and neither is an object that says by
    `computes_with_lent` that it uses none of the weights it holds, such as the one that calls a
    Keras model.
    """
    theirs = {id(one) for one in (*original.modules(), *original.parameters())}
    theirs -= {id(one) for one in (*private.modules(), *private.parameters())}
    seen: set[int] = set()
    waiting: list[Any] = [private]
    while waiting:
        value = waiting.pop()
        if id(value) in theirs:
            return True
        if id(value) not in seen:
            seen.add(id(value))
            trusted = getattr(type(value), "computes_with_lent", False)
            waiting.extend(() if trusted else _inside(value))
    return False


def parameter_view(module: nn.Module) -> str | None:
    """Return the name of a parameter of which a layer holds a view in an attribute, if any does.

    On other weights such a view would still show the module's own.
    """
    own = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
    places = {p.untyped_storage().data_ptr(): n for n, p in module.named_parameters() if p.numel()}
    for layer in module.modules():
        for name, value in vars(layer).items():
            if name in _OF_LAYERS or {f"{name}_orig", f"{name}_v"} & {*layer._parameters}:  # noqa: SLF001 - computed again by a hook
                continue
            for one in value.values() if isinstance(value, dict) else _listed(value):
                if isinstance(one, Tensor) and id(one) not in own and one.numel():
                    place = places.get(_place(one))
                    if place is not None:
                        return place
    return None


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else 0


def _inside(value: Any) -> Iterable[Any]:
    """Return what an object holds, as far as it may be a module or a function."""
    for kinds, inside in INSIDE.items():
        if isinstance(value, kinds):
            return inside(value)
    return [one for name, one in getattr(value, "__dict__", {}).items() if name not in _REFERENCES]


def _of_function(function: Any) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # an empty cell
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


INSIDE: dict[tuple[type, ...], Callable[[Any], Iterable[Any]]] = {
    (Tensor, str, bytes, int, float, type, ModuleType): lambda value: (),
    (FunctionType,): _of_function,
    (MethodType,): lambda method: (method.__self__,),
    (partial,): lambda made: (made.func, *made.args, *made.keywords.values()),
    (Mapping,): lambda mapping: mapping.values(),
    (list, tuple, set): lambda several: several,
    (weakref.ref,): lambda reference: (reference(),),
}
"""What objects of each kind hold; others what their attributes are."""
_REFERENCES = frozenset(("_flat_weight_refs",))
"""References of recurrent layers that PyTorch makes again when it needs them."""
