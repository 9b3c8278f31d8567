"""Write and read safetensors files with NumPy and json alone, without any library under test."""

from __future__ import annotations

import json
import struct

import numpy as np

WIDTHS = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
    "U16": 2, "U32": 4, "U64": 8, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
}  # fmt: skip
NUMPY = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "u1",
}  # fmt: skip


def write(path, tensors, metadata=None):
    """Write (dtype name, shape, bytes) by name."""
    header = {} if metadata is None else {"__metadata__": metadata}
    end = 0
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {
            "dtype": dtype,
            "shape": list(shape),
            "data_offsets": [end, end + len(content)],
        }
        end += len(content)
    text = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for _dtype, _shape, content in tensors.values():
            stream.write(content)


def read(path):
    """Return (dtype name, shape, bytes) by name, and the metadata."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = (entry["dtype"], tuple(entry["shape"]), content[first:last])
    return tensors, metadata


def numbers(tensor):
    """Return the numbers of (dtype name, shape, bytes) in float64."""
    dtype, shape, content = tensor
    if dtype == "BF16":
        wide = np.frombuffer(content, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).astype(np.float64).reshape(shape)
    return np.frombuffer(content, NUMPY[dtype]).astype(np.float64).reshape(shape)


def tensor(dtype, values):
    """Return (dtype name, shape, bytes) of `values`; bfloat16 is rounded half to even."""
    values = np.asarray(values)
    if dtype != "BF16":
        return dtype, values.shape, values.astype(NUMPY[dtype]).tobytes()
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return dtype, values.shape, rounded.astype("<u2").tobytes()


def raw(dtype, shape, generator):
    """Return (dtype name, shape, bytes) of random bytes."""
    size = int(np.prod(shape)) * WIDTHS[dtype]
    return dtype, tuple(shape), generator.integers(0, 256, size, dtype=np.uint8).tobytes()
