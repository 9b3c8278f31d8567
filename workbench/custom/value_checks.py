"""Check the values of user data: supported dtypes, finite numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import InputError

INPUTS, TARGETS, WEIGHTS = "inputs", "targets", "weights"
UNSUPPORTED_DTYPES = (torch.uint16, torch.uint32, torch.uint64)
"""Dtypes that hardly any PyTorch layer supports."""


def check_dtypes(name: str, side: str, value: Any) -> None:
    """Check the device, layout and dtype of all tensors and arrays in nested data.

    Raises
    ------
    InputError
        If one is not on the CPU, is sparse, or has an unsupported dtype.
    """
    for _path, leaf in leaves(value):
        if isinstance(leaf, Tensor):
            if leaf.device.type != "cpu":
                raise InputError(
                    f"The {name} data is on {leaf.device}: move it to the CPU, where models are "
                    "evaluated.",
                    code="data.wrong_device",
                )
            if leaf.layout != torch.strided:
                raise InputError(
                    f"The {name} {side} contain sparse tensors: convert them with .to_dense().",
                    code="data.sparse",
                )
        _check_dtype(name, side, leaf.dtype)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the tensors and arrays in nested dicts, tuples and lists, each with its path."""
    if isinstance(value, Tensor | np.ndarray):
        yield path, value
    elif isinstance(value, Mapping | tuple | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from leaves(item, f"{path}.{key}")


class FiniteCheck:
    """Find NaN and infinity in the batches of one split, which it receives in order.

    Inputs of zeros and infinities only are attention masks, which are allowed.
    """

    def __init__(self) -> None:
        self._infinite: dict[str, int] = {}  # by path, the first example with an infinity
        self._others: set[str] = set()  # paths with numbers other than 0 and infinity
        self._zeros: set[str] = set()

    def update(self, side: str, value: Any, start: int) -> int | None:
        """Return the index of the first example, from `start` on, that is refused, if any."""
        for path, leaf in leaves(value):
            tensor = _floats(leaf)
            if tensor is None or not tensor.numel():
                continue
            low, high = (float(bound) for bound in tensor.aminmax())
            if np.isfinite(low) and np.isfinite(high):
                if side == INPUTS:
                    (self._others if low or high else self._zeros).add(path)
            elif side != INPUTS or np.isnan(low):
                return start + _first_row(~tensor.isfinite())
            else:
                self._infinite.setdefault(path, start + _first_row(tensor.isinf()))
                finite = tensor[tensor.isfinite()]
                if bool(finite.any()):
                    self._others.add(path)
                if bool((finite == 0).any()):
                    self._zeros.add(path)
            if path in self._infinite and path in self._others:
                return self._infinite[path]
        return None

    def without_zeros(self) -> int | None:
        """Return the first example of inputs that are infinite everywhere, if any."""
        return min(
            (n for path, n in self._infinite.items() if path not in self._zeros), default=None
        )


def _floats(value: Any) -> Tensor | None:
    """Return floating-point or complex numbers as a real tensor; None for other dtypes."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fc":
            return None
        value = torch.from_numpy(np.ascontiguousarray(value))
    tensor: Tensor = value.detach()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor if tensor.is_floating_point() else None


def _first_row(wrong: Tensor) -> int:
    return int(wrong.reshape(len(wrong), -1).any(dim=1).nonzero()[0]) if wrong.ndim else 0


def _check_dtype(name: str, side: str, dtype: np.dtype[Any] | torch.dtype) -> None:
    """Refuse dtypes that PyTorch lacks, and inputs of dtypes that hardly any layer supports."""
    known: torch.dtype | None = None
    if isinstance(dtype, torch.dtype):
        known = dtype
    elif dtype.isnative:
        with suppress(TypeError):
            known = torch.from_numpy(np.empty(0, dtype)).dtype
    wide = {np.dtype(np.uint16), np.dtype(np.uint32), np.dtype(np.uint64)}  # old PyTorch has none
    if side == TARGETS and dtype in wide:
        return
    if known is not None and (side == TARGETS or known not in UNSUPPORTED_DTYPES):
        return
    supported = "class indices as int64 or numbers as float32" if side == TARGETS else "float32"
    raise InputError(
        f"The {name} {side} have the dtype {dtype}, which modules do not support: pass "
        f"{supported}.",
        code="data.dtype",
    )
