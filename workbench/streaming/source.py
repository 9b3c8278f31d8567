"""The tensors of a model on disk: one safetensors file, or shards with their index."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from workbench.artifact.foreign_files import (
    PICKLES,
    is_index,
    missing,
    pickle_index_error,
)
from workbench.compression.roles import compressible, is_mask
from workbench.errors import ArtifactError, FileError, file_errors, missing_file
from workbench.streaming import safetensors_header
from workbench.streaming.folders import find_in_folder, is_safetensors
from workbench.streaming.safetensors_header import Contents, TensorLocation

SAMPLE_VALUES = 4096
"""The first values of a tensor; they nearly always suffice to see that it is not a mask."""


@dataclass(frozen=True, eq=False)
class Source:
    """Tensors on disk.

    They have the order in which safetensors writes them, widest dtype first and then by name,
    whether or not they are split over shards. A file and its shards therefore give the same result.
    """

    title: str
    files: tuple[Path, ...]
    locations: dict[str, TensorLocation]
    metadata: dict[str, str]

    @classmethod
    def open(cls, path: Path) -> Source:
        """Locate the tensors of a safetensors file, an index, or a folder that holds either.

        Raises
        ------
        FileError
            If a file is missing or cannot be read.
        ArtifactError
            If a file is damaged, or the index and its shards disagree.
        """
        with file_errors("read", path):
            is_folder = path.is_dir()
        path = find_in_folder(path) if is_folder else path
        if is_index(path.name):
            contents, files = _read_shards(path)
        else:
            contents, files = safetensors_header.read(path), (path,)
        return cls(_title(path), files, in_order(contents.tensors), contents.metadata)

    @cached_property
    def meta_tensors(self) -> dict[str, Tensor]:
        """The tensors on the meta device: dtype and shape without values."""
        return {
            name: torch.empty(location.shape, dtype=location.dtype, device="meta")
            for name, location in self.locations.items()
        }

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the tensors that can be compressed: the same as for tensors in memory.

        Masks are recognized by their values. A few values suffice unless those could be a mask's.
        """
        return tuple(name for name in compressible(self.meta_tensors) if not self._is_mask(name))

    @cached_property
    def size(self) -> int:
        """Bytes of all tensors."""
        return sum(location.size for location in self.locations.values())

    @property
    def has_values(self) -> bool:
        """Whether the values of the tensors can be read."""
        return True

    @property
    def file_bytes(self) -> int:
        """Bytes of the files, including their headers."""
        return sum(path.stat().st_size for path in self.files)

    @property
    def state(self) -> list[list[Any]]:
        """Plain data that changes with the files: names, sizes, times, and tensor offsets."""
        stats = [(path, path.stat()) for path in self.files]
        files = [[str(path.resolve()), stat.st_size, stat.st_mtime_ns] for path, stat in stats]
        return [*files, *([tensor.name, tensor.start] for tensor in self.locations.values())]

    def open_file(self, path: Path) -> BinaryIO:
        """Open one of the files for reading."""
        return path.open("rb")

    @contextmanager
    def tensor(self, name: str) -> Iterator[Tensor]:
        """Yield a memory-mapped tensor: its values are read from the file on access.

        Raises
        ------
        FileError
            If the file can no longer be read.
        """
        location = self.locations[name]
        if not location.size:
            yield torch.empty(location.shape, dtype=location.dtype)
            return
        offset = location.start - location.start % mmap.ALLOCATIONGRANULARITY
        try:
            with location.path.open("rb") as stream:
                buffer = mmap.mmap(  # a private copy: PyTorch warns about a read-only buffer
                    stream.fileno(),
                    location.stop - offset,
                    access=mmap.ACCESS_COPY,
                    offset=offset,
                )
        except FileNotFoundError:
            raise missing_file(location.path) from None
        except (OSError, ValueError) as error:
            raise FileError(
                f"Cannot read {location.path}: {error}.", code="file.cannot_read"
            ) from None
        flat = torch.frombuffer(
            buffer,
            dtype=location.dtype,
            count=location.size // location.dtype.itemsize,
            offset=location.start - offset,
        )
        yield flat.view(location.shape)

    def _is_mask(self, name: str) -> bool:
        with self.tensor(name) as weight:
            first = weight.reshape(-1)[:SAMPLE_VALUES]
            could_be = (first == 0) | (first.abs() >= torch.finfo(first.dtype).max)
            return bool(could_be.all()) and is_mask(weight)


def in_order(tensors: Mapping[str, TensorLocation]) -> dict[str, TensorLocation]:
    """Return the tensors in the order in which safetensors writes them."""
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    return {name: tensors[name] for name in order}


def _title(path: Path) -> str:
    return path.resolve().parent.name if is_index(path.name) else path.stem


def _read_shards(index: Path) -> tuple[Contents, tuple[Path, ...]]:
    weight_map = _weight_map(index)
    shards = {name: index.parent / name for name in sorted(set(weight_map.values()))}
    for name, path in shards.items():
        if not path.is_file():
            raise FileError(
                f"{index} names the shard {name}, which is not in the same folder.",
                code="file.missing_shard",
            )
    stored = {name: safetensors_header.read(path) for name, path in shards.items()}
    for name, shard in weight_map.items():
        if name not in stored[shard].tensors:
            raise ArtifactError(
                f"{index} expects {name!r} in {shard}, which does not hold it.",
                code="file.tensor_not_in_shard",
            )
    for shard, contents in stored.items():
        for name in contents.tensors:
            if weight_map.get(name) != shard:
                raise ArtifactError(
                    f"{shard} holds {name!r}, but {index} does not list it there.",
                    code="file.unlisted_tensor",
                )
    tensors = {name: stored[shard].tensors[name] for name, shard in weight_map.items()}
    metadata: dict[str, str] = {}
    for contents in stored.values():
        metadata = {**contents.metadata, **metadata}
    return Contents(tensors, metadata), (index, *shards.values())


def _weight_map(index: Path) -> dict[str, str]:
    if not index.exists():
        raise missing(index)
    with file_errors("read", index):
        text = index.read_bytes()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    weight_map = content.get("weight_map") if isinstance(content, dict) else None
    if isinstance(weight_map, dict) and any(map(_is_pickle_name, weight_map.values())):
        raise pickle_index_error(index)
    if not isinstance(weight_map, dict) or not all(map(_is_shard_name, weight_map.values())):
        raise ArtifactError(
            f"{index} is not an index of shards: its weight_map is invalid.",
            code="file.invalid_index",
        )
    return weight_map


def _is_shard_name(value: Any) -> bool:
    """Whether `value` names a file in the index's own folder."""
    return isinstance(value, str) and is_safetensors(Path(value)) and Path(value).name == value


def _is_pickle_name(value: Any) -> bool:
    return isinstance(value, str) and value.lower().endswith(PICKLES)
