"""Decompress a Workbench file to a plain safetensors file, tensor by tensor."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.arguments import expect_path, expect_running
from workbench.artifact.header import MAX_DECODED_BYTES, decoded_size
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.artifact.original_dtype import original_dtype
from workbench.artifact.writing import check_writable
from workbench.cancel import NEVER, CancelToken
from workbench.compression.codecs.stream import Entry, own_entry, parts
from workbench.compression.coded import BUFFERS, Coded
from workbench.errors import ArtifactError, FileError, file_errors
from workbench.streaming import safetensors_header
from workbench.streaming.resume import FREE_SPACE, locked

MAX_EXPANSION = 1000
"""A tensor this many times larger than its stream is accepted at any size: 99 % zeros need it."""


def decompress(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    max_bytes: int = MAX_DECODED_BYTES,
    on_progress: Callable[[int, int], None] = lambda completed, total: None,
    cancel: CancelToken = NEVER,
) -> Path:
    """Write the decoded tensors of a Workbench file as plain safetensors, and return the path.

    Each tensor gets its original dtype back. One tensor is in memory at a time.

    Parameters
    ----------
    path
        The Workbench file.
    output
        The safetensors file to write.
    max_bytes
        The largest accepted size of a tensor that is more than 1000 times larger than its stream.
    on_progress
        Called with the bytes written so far and the bytes to write.
    cancel
        Stops between two tensors, and leaves no file.

    Raises
    ------
    ArtifactError
        If the file is damaged or foreign, or a tensor is too large.
    FileError
        If the file cannot be read, or the output cannot be written or is being written by another
        process.
    Cancelled
        If `cancel` is cancelled.
    """
    expect_running(cancel, on_progress=on_progress)
    source, target = expect_path(path, "path"), expect_path(output, "output")
    check_writable(target, [source])
    artifact = OnDiskArtifact.open(source)
    entries = artifact.entries
    check_sizes(entries, max_bytes)
    order = sorted(entries, key=lambda name: (-_dtype(entries[name]).itemsize, name))
    described = {name: describe(entries[name]) for name in order}
    start = safetensors_header.encode(described, artifact.metadata)
    total = sum(map(_size, entries.values()))
    if len(start) + total > shutil.disk_usage(target.parent).free:
        raise FileError(
            f"{source} unpacks to {total:,} bytes, more than the free space of the disk of "
            f"{target}: free space or choose another place.",
            code="file.no_space",
        )
    offsets, end = {}, len(start)
    for name in order:
        offsets[name] = end
        end += _size(entries[name])
    temporary = target.with_name(f".{target.name}.unfinished.tensors")
    with file_errors("write", target, FREE_SPACE), locked(target):
        try:
            with temporary.open("wb") as stream:
                stream.write(start)
                written = 0
                for name, coded in artifact.tensors():
                    cancel.check()
                    stream.seek(offsets[name])
                    stream.write(_bytes(coded, entries[name]).data)
                    written += _size(entries[name])
                    on_progress(written, total)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    return target


def check_sizes(entries: dict[str, Entry], max_bytes: int) -> None:
    """Raise `ArtifactError` if a tensor is too large, or of a dtype of no safetensors file."""
    for name, entry in entries.items():
        if "raw" not in entry and _dtype(entry) not in safetensors_header.DTYPE_NAMES:
            raise ArtifactError(
                f"{name!r} is of {_dtype(entry)}, which safetensors files cannot hold: read it "
                "with wb.load.",
                code="artifact.unsupported_dtype",
            )
        if decoded_size(entry) > max(max_bytes, MAX_EXPANSION * parts(own_entry(entry)).total):
            raise ArtifactError(
                f"{name!r} unpacks to more than {max_bytes:,} bytes: pass a larger max_bytes if "
                "you trust the file.",
                code="artifact.decoded_too_large",
            )


def describe(entry: Entry) -> tuple[str, tuple[int, ...], int]:
    """Return the safetensors dtype, the shape and the bytes of a tensor before compression."""
    if "raw" in entry:
        dtype, shape = entry["raw"]
        return dtype, tuple(shape), _size(entry)
    return safetensors_header.DTYPE_NAMES[_dtype(entry)], tuple(entry["shape"]), _size(entry)


def _dtype(entry: Entry) -> torch.dtype:
    return BUFFERS[original_dtype(entry)]


def _size(entry: Entry) -> int:
    return int(prod(entry["shape"])) * _dtype(entry).itemsize


def _bytes(coded: Coded, entry: Entry) -> NDArray[np.uint8]:
    tensor = coded.tensor().to(_dtype(entry)).contiguous()
    result: NDArray[np.uint8] = tensor.flatten().view(torch.uint8).numpy()
    return result
