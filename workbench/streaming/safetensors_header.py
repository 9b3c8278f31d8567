"""Read, validate and write the header of a plain safetensors file."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch

from workbench.artifact import container
from workbench.artifact.foreign_files import check_own_kind
from workbench.artifact.writing import check_regular
from workbench.compression.coded import BUFFERS, DTYPES
from workbench.errors import ArtifactError, file_errors

LENGTH_BYTES = 8
"""The bytes before the header, which hold its length."""

MAX_BYTES = 100_000_000
"""The longest header that the safetensors library reads."""

SAFETENSORS_DTYPES: dict[str, torch.dtype] = {
    "F64": DTYPES["f64"],
    "F32": DTYPES["f32"],
    "F16": DTYPES["fp16"],
    "BF16": DTYPES["bf16"],
    **{name.upper(): dtype for name, dtype in DTYPES.items() if name[0] in "iu"},
    "BOOL": DTYPES["bool"],
}
"""The dtypes that PyTorch computes with, by their safetensors names."""

NUMERIC_DTYPES = SAFETENSORS_DTYPES | {
    "F8_E4M3": BUFFERS["f8e4m3"],
    "F8_E5M2": BUFFERS["f8e5m2"],
    "C64": BUFFERS["c64"],
}
"""The dtypes whose numbers PyTorch reads, by their safetensors names."""

DTYPE_NAMES = {dtype: name for name, dtype in NUMERIC_DTYPES.items()}

DEFAULT_METADATA = {"format": "pt"}
"""The metadata that transformers requires."""


@dataclass(frozen=True)
class TensorLocation:
    """A tensor in a file: `start` and `stop` are byte offsets from the start of the file.

    A tensor of any other dtype, such as the 8-bit floats of quantized checkpoints, is read as its
    bytes: uint8 [bytes]. Then `stored_dtype` and `stored_shape` are those in the file.
    """

    path: Path
    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    stop: int
    stored_dtype: str | None = None
    stored_shape: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the tensor."""
        return self.stop - self.start


class Contents(NamedTuple):
    """The tensors of a safetensors file by name, and its metadata."""

    tensors: dict[str, TensorLocation]
    metadata: dict[str, str]


def read(path: Path) -> Contents:
    """Return the location of each tensor of a safetensors file, and its metadata.

    Raises
    ------
    FileError
        If the file cannot be read.
    ArtifactError
        If the header is invalid.
    """
    with file_errors("read", path):
        check_own_kind(path)
        check_regular(path)
        size = path.stat().st_size
        with path.open("rb") as stream:
            return parse(path, stream, size)


def parse(path: Path, stream: BinaryIO, size: int) -> Contents:
    """Return the location of each tensor of a file of `size` bytes, of which the header is read.

    Raises
    ------
    ArtifactError
        If the header is invalid.
    """
    (length,) = struct.unpack("<Q", stream.read(LENGTH_BYTES).ljust(LENGTH_BYTES, b"\xff"))
    if length > min(MAX_BYTES, size - LENGTH_BYTES):
        raise _damaged(path, "it ends before its header does", "file.header_cut_short")
    header = _from_json(path, stream.read(length))
    metadata = _metadata(path, header.pop("__metadata__", {}))
    if metadata.get("format") in (container.FORMAT, container.FORMAT_1):
        raise ArtifactError(
            f"{path} is a Workbench file, compressed already: name the original, or decompress it "
            "first with workbench decompress.",
            code="file.compressed_already",
        )
    start = LENGTH_BYTES + length
    tensors = {name: _location(path, name, entry, start) for name, entry in header.items()}
    _check_layout(path, tensors, start, size)
    return Contents(tensors, metadata)


def encode(
    tensors: Mapping[str, tuple[str, tuple[int, ...], int]], metadata: Mapping[str, str]
) -> bytes:
    """Return the start of a safetensors file that holds `tensors` one after the other.

    `tensors` maps each name to the safetensors name of the dtype, the shape, and the bytes.
    """
    header: dict[str, Any] = {"__metadata__": {**DEFAULT_METADATA, **metadata}}
    end = 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _damaged(path: Path, reason: str, code: str) -> ArtifactError:
    return ArtifactError(f"{path} is damaged, or not a safetensors file: {reason}.", code=code)


def _from_json(path: Path, content: bytes) -> dict[str, Any]:
    try:
        header = json.loads(content)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a JSON object", "file.header_not_an_object")
    return header


def _location(path: Path, name: str, entry: Any, start: int) -> TensorLocation:
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [first, last]} if all(
            _is_count(number) for number in (*shape, first, last)
        ):
            pass
        case _:
            raise _damaged(path, f"its entry for {name!r} is invalid", "file.invalid_entry")
    if dtype not in SAFETENSORS_DTYPES:
        size = last - first
        if size < 0:
            raise _damaged(path, f"{name!r} ends before it starts", "file.shape_mismatch")
        span = (start + first, start + last)
        return TensorLocation(path, name, torch.uint8, (size,), *span, dtype, tuple(shape))
    tensor = TensorLocation(
        path, name, SAFETENSORS_DTYPES[dtype], tuple(shape), start + first, start + last
    )
    if tensor.size != prod(shape) * tensor.dtype.itemsize:
        reason = f"{name!r} takes {tensor.size:,} bytes, which does not match its shape"
        raise _damaged(path, reason, "file.shape_mismatch")
    return tensor


def _metadata(path: Path, content: Any) -> dict[str, str]:
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise _damaged(path, "its metadata are not texts", "file.invalid_metadata")
    return content


def _check_layout(path: Path, tensors: Mapping[str, TensorLocation], start: int, size: int) -> None:
    """Check that the tensors fill the file without gaps, overlaps or bytes beyond its end."""
    order = sorted(tensors.values(), key=lambda tensor: (tensor.start, tensor.stop))
    for before, after in pairwise(order):
        if after.start != before.stop:
            reason = f"{before.name!r} and {after.name!r} overlap or leave a gap"
            raise _damaged(path, reason, "file.overlap_or_gap")
    first, last = (order[0].start, order[-1].stop) if order else (start, start)
    if first != start or last > size:
        raise ArtifactError(
            f"{path} is cut short: it has {size:,} bytes instead of {last:,}.",
            code="file.cut_short",
        )
    if last != size:
        reason = f"{size - last:,} bytes belong to no tensor"
        raise _damaged(path, reason, "file.trailing_bytes")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
