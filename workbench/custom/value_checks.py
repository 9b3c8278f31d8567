"""What numbers a person's data may hold: those of kinds that modules compute with, all finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import WorkbenchError

INPUTS, TARGETS, WEIGHTS = "inputs", "targets", "weights"
UNSUPPORTED_DTYPES = (torch.uint16, torch.uint32, torch.uint64)
"""Kinds of numbers with which hardly a layer of PyTorch computes."""


def check_dtypes(name: str, side: str, value: Any) -> None:
    """Refuse tensors and arrays, however deep in `value`, with which modules do not compute.

    Raises
    ------
    WorkbenchError
        When one lies on another device, is sparse, or holds numbers of a strange kind.
    """
    for _path, one in leaves(value):
        if isinstance(one, Tensor):
            if one.device.type != "cpu":
                raise WorkbenchError(
                    f"The {name} data lies on {one.device}: move it to the CPU, where files are "
                    "judged."
                )
            if one.layout != torch.strided:
                raise WorkbenchError(
                    f"The {name} {side} hold sparse tensors: give dense ones, made with "
                    ".to_dense()."
                )
        _check_kind(name, side, one.dtype)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the tensors and arrays in nested dicts, tuples and lists, each with its path."""
    if isinstance(value, Tensor | np.ndarray):
        yield path, value
    elif isinstance(value, Mapping | tuple | list):
        inside = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, one in inside:
            yield from leaves(one, f"{path}.{key}")


class FiniteCheck:
    """Refuses NaN and infinity in batches of one split, which are shown to it in order.

    Inputs that hold nothing but zeros and infinities are masks, as attention takes them, and pass.
    """

    def __init__(self) -> None:
        self._infinite: dict[str, int] = {}  # by path, the first example with an infinity
        self._others: set[str] = set()  # paths that hold other numbers than 0 and infinity
        self._zeros: set[str] = set()

    def see(self, side: str, value: Any, start: int) -> int | None:
        """Return the number of the first example, from `start` on, that is refused, if any."""
        for path, one in leaves(value):
            tensor = _floats(one)
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
        """Return the first example of inputs that turned out to be infinite throughout, if any."""
        return min(
            (n for path, n in self._infinite.items() if path not in self._zeros), default=None
        )


def _floats(value: Any) -> Tensor | None:
    """Return a tensor or array of floating-point numbers as a real tensor; None for any other."""
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


def _check_kind(name: str, side: str, kind: np.dtype[Any] | torch.dtype) -> None:
    """Refuse what no tensor holds, and inputs that hardly a layer takes."""
    known: torch.dtype | None = None
    if isinstance(kind, torch.dtype):
        known = kind
    elif kind.isnative:
        with suppress(TypeError):
            known = torch.from_numpy(np.empty(0, kind)).dtype
    wide = {np.dtype(np.uint16), np.dtype(np.uint32), np.dtype(np.uint64)}  # old PyTorch has none
    if side == TARGETS and kind in wide:
        return
    if known is not None and (side == TARGETS or known not in UNSUPPORTED_DTYPES):
        return
    wanted = "class numbers as int64 or numbers as float32" if side == TARGETS else "float32"
    raise WorkbenchError(
        f"The {name} {side} are of kind {kind}, with which modules do not compute: give {wanted}."
    )
