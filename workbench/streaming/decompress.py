"""A Workbench file back to plain safetensors: tensor by tensor."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.artifact.artifact import check_writable
from workbench.artifact.header import MAX_DECODED_BYTES, decoded_size
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.artifact.original_dtype import original_dtype
from workbench.compression.codecs.stream import Entry, parts
from workbench.compression.coded import DTYPES, Coded
from workbench.errors import ArtifactError
from workbench.streaming import safetensors_header
from workbench.streaming.resume import write_errors

MOST_TIMES = 1000
"""How much larger than its stream a tensor of any size may be: 99 % zeros take more than that."""


def decompress(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    max_bytes: int = MAX_DECODED_BYTES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write the decoded tensors of a Workbench file as plain safetensors, and return its path.

    Each tensor has the dtype that it had before it was compressed. Only one is in memory at a
    time; `progress` is called with the bytes written so far and the bytes to write.

    Raises
    ------
    ArtifactError
        When the file is missing, damaged or foreign, when a tensor claims more than `max_bytes`
        bytes and more than a thousand times its stream, or when the output cannot be written.
    """
    source, target = Path(path), Path(output)
    if target.exists() and source.exists() and target.samefile(source):
        raise ArtifactError(f"{target} is the file to be expanded: name another for the output.")
    sealed = OnDiskArtifact.open(source)
    entries = sealed.entries
    _check_sizes(entries, max_bytes)
    check_writable(target)
    order = sorted(
        entries, key=lambda name: (-DTYPES[original_dtype(entries[name])].itemsize, name)
    )
    start = safetensors_header.encode({name: _written(entries[name]) for name in order})
    total = sum(_size(entry) for entry in entries.values())
    if len(start) + total > shutil.disk_usage(target.parent).free:
        raise ArtifactError(
            f"{source} unpacks to {total:,} bytes, for which there is no room beside {target}."
        )
    places, at = {}, len(start)
    for name in order:
        places[name] = at
        at += _size(entries[name])
    new = target.with_name(f".{target.name}.unfinished")
    with write_errors(target):
        try:
            with new.open("wb") as stream:
                stream.write(start)
                written = 0
                for name, coded in sealed.tensors():
                    stream.seek(places[name])
                    stream.write(_bytes(coded, entries[name]).data)
                    written += _size(entries[name])
                    progress(written, total)
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    return target


def _check_sizes(entries: dict[str, Entry], max_bytes: int) -> None:
    for name, entry in entries.items():
        if decoded_size(entry) > max(max_bytes, MOST_TIMES * parts(entry).total):
            raise ArtifactError(
                f"{name!r} unpacks to more than {max_bytes:,} bytes: pass a larger limit if you trust"
                " the file."
            )


def _written(entry: Entry) -> tuple[str, tuple[int, ...], int]:
    dtype = DTYPES[original_dtype(entry)]
    spelled = next(
        name for name, known in safetensors_header.SAFETENSORS_DTYPES.items() if known == dtype
    )
    return spelled, tuple(entry["shape"]), _size(entry)


def _size(entry: Entry) -> int:
    return int(prod(entry["shape"])) * DTYPES[original_dtype(entry)].itemsize


def _bytes(coded: Coded, entry: Entry) -> NDArray[np.uint8]:
    tensor = coded.tensor().to(DTYPES[original_dtype(entry)]).contiguous()
    found: NDArray[np.uint8] = tensor.flatten().view(torch.uint8).numpy()
    return found
