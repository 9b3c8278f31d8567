"""Let `len(x)` stay symbolic while PyTorch records a forward pass.

Python makes an int of what `len` returns, so an export would fix the number of examples, and a
trace would fail. `x.shape[0]` is the same number and may be a symbol.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, fx

_python_len = builtins.len
_lock = threading.Lock()
_users = 0


def _length(value: Any, /) -> Any:
    """Return the length of the first axis of a tensor, and of anything else its `len`."""
    symbolic: Any = value  # a proxy stands for any value
    if isinstance(value, fx.Proxy) or (isinstance(value, Tensor) and value.ndim):
        return symbolic.shape[0]
    return _python_len(value)


@contextmanager
def symbolic_length() -> Iterator[None]:
    """Record a forward pass that calls `len` with tensors; for all other values nothing changes."""
    global _users
    with _lock:
        _users += 1
        builtins.len = _length  # the code of a network looks it up there
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                builtins.len = _python_len
