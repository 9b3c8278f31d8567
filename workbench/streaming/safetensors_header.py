"""The header of a plain safetensors file: checked before it is believed, and written."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import torch

from workbench.compression.coded import DTYPES
from workbench.errors import ArtifactError

LONGEST = 100_000_000
"""Bytes of a header: what the safetensors library reads."""

SAFETENSORS_DTYPES: dict[str, torch.dtype] = {
    "F64": DTYPES["f64"],
    "F32": DTYPES["f32"],
    "F16": DTYPES["fp16"],
    "BF16": DTYPES["bf16"],
    **{name.upper(): dtype for name, dtype in DTYPES.items() if name[0] in "iu"},
    "BOOL": DTYPES["bool"],
}
"""The dtypes that can be stored, as safetensors spells them."""

DAMAGED = "is damaged, or not a safetensors file"


@dataclass(frozen=True)
class TensorLocation:
    """A tensor in a file: `start` and `stop` are bytes from the file's beginning."""

    path: Path
    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Bytes of the tensor."""
        return self.stop - self.start


def read(path: Path) -> dict[str, TensorLocation]:
    """Return where each tensor of a safetensors file is.

    Raises
    ------
    ArtifactError
        When the file cannot be read, its header lies, or it holds a dtype that cannot be stored.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8).ljust(8, b"\xff"))
            if length > min(LONGEST, size - 8):
                raise ArtifactError(f"{path} {DAMAGED}: it ends before its header does.")
            text = stream.read(length)
    except OSError as error:
        raise ArtifactError(f"Cannot read {path}: {error.strerror}.") from None
    header = _json(path, text)
    header.pop("__metadata__", None)
    found = {name: _place(path, name, entry, 8 + length) for name, entry in header.items()}
    _check_filled(path, found, 8 + length, size)
    return found


def encode(tensors: Mapping[str, tuple[str, tuple[int, ...], int]]) -> bytes:
    """Return the start of a safetensors file with tensors one after the other.

    `tensors` gives of each, by name, the dtype as safetensors spells it, the shape and the bytes.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}  # transformers reads no other
    at = 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    written = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    written += b" " * (-len(written) % 8)
    return struct.pack("<Q", len(written)) + written


def _json(path: Path, content: bytes) -> dict[str, Any]:
    try:
        header = json.loads(content)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ArtifactError(f"{path} {DAMAGED}: its header is not a JSON object.")
    return header


def _place(path: Path, name: str, entry: Any, start: int) -> TensorLocation:
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [first, last]} if all(
            _count(number) for number in (*shape, first, last)
        ):
            pass
        case _:
            raise ArtifactError(f"{path} {DAMAGED}: its entry for {name!r} does not make sense.")
    if dtype not in SAFETENSORS_DTYPES:
        raise ArtifactError(
            f"{name} is of dtype {dtype}, which cannot be stored: convert it before compressing."
        )
    found = TensorLocation(
        path, name, SAFETENSORS_DTYPES[dtype], tuple(shape), start + first, start + last
    )
    if found.size != prod(shape) * found.dtype.itemsize:
        raise ArtifactError(
            f"{path} {DAMAGED}: {name!r} takes {found.size:,} bytes, which its shape does not."
        )
    return found


def _check_filled(path: Path, found: Mapping[str, TensorLocation], start: int, size: int) -> None:
    """Raise unless the tensors fill the file: no hole, nothing twice, nothing beyond the end."""
    order = sorted(found.values(), key=lambda place: (place.start, place.stop))
    for before, after in pairwise(order):
        if after.start != before.stop:
            raise ArtifactError(
                f"{path} {DAMAGED}: {before.name!r} and {after.name!r} overlap or leave a hole."
            )
    first, last = (order[0].start, order[-1].stop) if order else (start, start)
    if first != start or last > size:
        raise ArtifactError(f"{path} is cut short: {size:,} bytes where {last:,} belong.")
    if last != size:
        raise ArtifactError(f"{path} {DAMAGED}: {size - last:,} bytes belong to no tensor.")


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
