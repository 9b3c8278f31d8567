"""Let `len(x)` stay symbolic while PyTorch records a forward pass.

Python makes an int of what `len` returns, so an export would fix the number of examples, and a
trace would fail. `x.shape[0]` is the same number and may be a symbol.
"""

from __future__ import annotations

import inspect
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, fx, nn

_lock = threading.Lock()
_users = Counter[int]()
"""How many recordings use a namespace, by its `id`."""


def _length(value: Any, /) -> Any:
    """Return the length of the first axis of a tensor, and of anything else its `len`."""
    symbolic: Any = value  # a proxy stands for any value
    if isinstance(value, fx.Proxy) or (isinstance(value, Tensor) and value.ndim):
        return symbolic.shape[0]
    return len(value)


@contextmanager
def symbolic_length(network: nn.Module) -> Iterator[None]:
    """Let the code of a network's own layers find a `len` that returns symbols for tensors.

    The code of PyTorch keeps Python's: its compiler knows no other. So does code in files that
    define none of the layers, and in files with a `len` of their own.
    """
    with _lock:
        namespaces = _namespaces(network)
        for namespace in namespaces:
            namespace["len"] = _length
            _users[id(namespace)] += 1
    try:
        yield
    finally:
        with _lock:
            for namespace in namespaces:
                _users[id(namespace)] -= 1
                if not _users[id(namespace)]:
                    del namespace["len"], _users[id(namespace)]


def _namespaces(network: nn.Module) -> list[dict[str, Any]]:
    """Return the globals of the forward passes that are not PyTorch's, each once."""
    namespaces = {}
    for kind in {base for layer in network.modules() for base in type(layer).__mro__}:
        forward = inspect.unwrap(vars(kind).get("forward", object))
        namespace = getattr(forward, "__globals__", {"__name__": "torch"})
        package = str(namespace.get("__name__", "")).partition(".")[0]
        if package != "torch" and namespace.get("len", _length) is _length:
            namespaces[id(namespace)] = namespace
    return [*namespaces.values()]
