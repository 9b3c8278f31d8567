"""Whether functions that a module holds still refer to the module that it was copied from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from torch import Tensor, nn


def reaches(private: nn.Module, original: nn.Module) -> bool:
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


def _inside(value: Any) -> Iterator[Any]:
    """Yield what an object holds, as far as it may be a module or a function."""
    if isinstance(value, Tensor | str | bytes | int | float | type | ModuleType):
        return
    if isinstance(value, FunctionType):
        for cell in value.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # an empty cell
                continue
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
    elif isinstance(value, MethodType):
        yield value.__self__
    elif isinstance(value, partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple | set):
        yield from value
    elif hasattr(value, "__dict__"):
        yield from vars(value).values()
