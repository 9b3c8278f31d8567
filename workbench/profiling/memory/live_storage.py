"""The bytes of live tensors by kind, and their peak."""

from __future__ import annotations

import weakref
from collections import Counter
from typing import Any, Self

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from workbench.profiling.memory.recurrent import saved_workspace
from workbench.profiling.memory.workspace import workspace

ADDITIONS = frozenset({"add", "__add__", "__radd__", "__iadd__", "sub", "__sub__"})
"""Calls in Python that add, by name."""


class LiveStorage(TorchDispatchMode):
    """Counts the storage of tensors that operations create, from creation until it is freed.

    Views share a storage, which counts once. It works on tensors without values, too.

    Attributes
    ----------
    kind : str
        The kind of storage that operations create from now on.
    peak : mapping
        The bytes of each kind when the sum was largest.
    operation : str
        The operation of the peak.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kind = kind
        self.peak: dict[str, int] = {}
        self.operation = ""
        self._highest = 0
        self._live: Counter[str] = Counter()
        self._known: dict[int, tuple[str, int]] = {}
        self._calls = _Calls()
        self._product: Tensor | None = None

    def __enter__(self) -> Self:
        self._calls.__enter__()  # type: ignore[no-untyped-call]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._calls.__exit__(*error)  # type: ignore[no-untyped-call]

    def add(self, tensor: Tensor, kind: str, size: int = 0) -> None:
        """Count the storage of a tensor as `kind`, also if it is known as another kind.

        `size` are its bytes if PyTorch's shape functions do not know them.
        """
        storage = tensor.untyped_storage()
        key, size = storage._cdata, size or storage.nbytes()  # noqa: SLF001 - shared by all views
        if key in self._known:
            self._live[self._known[key][0]] -= self._known[key][1]
        else:
            weakref.finalize(storage, self._free, key)
        self._known[key] = kind, size
        self._live[kind] += size

    def _free(self, key: int) -> None:
        kind, size = self._known.pop(key)
        self._live[kind] -= size

    def _record(self, operation: str, workspace_bytes: int) -> None:
        total = self._live.total() + workspace_bytes
        if total > self._highest:
            self._highest, self.operation = total, operation
            self.peak = {**self._live, "workspace": workspace_bytes}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is torch.ops.aten.add.Tensor and not kwargs and self._adds_bias(*args):
            torch.ops.aten.add_.Tensor(*args)
            outputs = torch.ops.aten.alias.default(args[0])
        else:
            outputs = function(*args, **(kwargs or {}))
        reshapes = function is torch.ops.aten._unsafe_view.default  # noqa: SLF001 - no other name
        self._product = outputs if reshapes else None
        if saved := saved_workspace(function, args):
            self.add(outputs[3], self.kind, saved)
        for item in tree_leaves(outputs):
            if isinstance(item, Tensor) and item.untyped_storage()._cdata not in self._known:  # noqa: SLF001 - as above
                self.add(item, self.kind)
        self._record(str(function), workspace(function, args, outputs))
        return outputs

    def _adds_bias(self, first: Any, second: Any) -> bool:
        """Return whether a linear layer adds its bias.

        It does so in place, unless a mode like this is active.
        """
        follows = first is self._product and isinstance(second, Tensor) and second.ndim == 1
        return follows and self._calls.current not in ADDITIONS


class _Calls(TorchFunctionMode):
    """Knows the name of the PyTorch function that Python code has called last."""

    current = ""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.current = getattr(function, "__name__", "")
        return function(*args, **(kwargs or {}))
