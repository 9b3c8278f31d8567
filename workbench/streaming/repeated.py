"""Tensors that a checkpoint holds twice, such as an embedding and the output layer tied to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import file_errors
from workbench.streaming.safetensors_header import TensorLocation
from workbench.streaming.source import Source

MIN_BYTES = 1024
"""Smaller tensors, such as biases of zeros, are often equal by chance."""
SAMPLE_BYTES = 4096
CHUNK_BYTES = 2**20


def repeated_tensors(source: Source) -> dict[str, str]:
    """Return the tensors whose dtype, shape and bytes are those of an earlier one, and its name.

    Tensors are read completely only where another one starts with the same bytes.

    Raises
    ------
    FileError
        If a file can no longer be read.
    """
    alike: dict[object, list[TensorLocation]] = {}
    for key, place in _samples(source):
        alike.setdefault(key, []).append(place)
    result: dict[str, str] = {}
    for places in alike.values():
        first: dict[bytes, str] = {}
        for place in places if len(places) > 1 else ():
            name = first.setdefault(_digest(source, place), place.name)
            if name != place.name:
                result[place.name] = name
    return {name: result[name] for name in source.locations if name in result}


def _samples(source: Source) -> Iterator[tuple[object, TensorLocation]]:
    """Yield each large tensor with its kind and its first bytes."""
    places: dict[Path, list[TensorLocation]] = {}
    for place in source.locations.values():
        if place.size >= MIN_BYTES:
            places.setdefault(place.path, []).append(place)
    for path, group in places.items():
        with file_errors("read", path), source.open_file(path) as stream:
            for place in group:
                stream.seek(place.start)
                sample = stream.read(min(SAMPLE_BYTES, place.size))
                kind = (place.dtype, place.shape, place.stored_dtype, place.stored_shape)
                yield (*kind, hashlib.sha256(sample).digest()), place


def _digest(source: Source, place: TensorLocation) -> bytes:
    digest = hashlib.sha256()
    with file_errors("read", place.path), source.open_file(place.path) as stream:
        stream.seek(place.start)
        for start in range(place.start, place.stop, CHUNK_BYTES):
            digest.update(stream.read(min(CHUNK_BYTES, place.stop - start)))
    return digest.digest()
