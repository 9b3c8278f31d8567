"""Where the tensors of a model lie: one safetensors file, or shards with their index."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.compression.roles import compressible, is_mask
from workbench.errors import ArtifactError
from workbench.streaming import safetensors_header
from workbench.streaming.safetensors_header import TensorLocation

INDEX = ".index.json"
FILE = ".safetensors"
GLIMPSE = 4096
"""Values at the start of a tensor that nearly always show that it is no mask."""


@dataclass(frozen=True, eq=False)
class Source:
    """Tensors on disk.

    They are in the order in which safetensors writes them, widest dtype first and then by name,
    however they are spread over files: so a file and its shards give the same result.
    """

    title: str
    files: tuple[Path, ...]
    places: dict[str, TensorLocation]

    @classmethod
    def open(cls, path: Path) -> Source:
        """Find the tensors of a safetensors file, an index, or a folder that holds either.

        Raises
        ------
        ArtifactError
            When a file is missing or damaged, or the index and its shards disagree.
        """
        path = _of_folder(path) if path.is_dir() else path
        if path.name.endswith(INDEX):
            found, files = _sharded(path)
        else:
            found, files = safetensors_header.read(path), (path,)
        order = sorted(found, key=lambda name: (-found[name].dtype.itemsize, name))
        return cls(_title(path), files, {name: found[name] for name in order})

    @cached_property
    def meta_tensors(self) -> dict[str, Tensor]:
        """The tensors without their values: dtype and shape, on the meta device."""
        return {
            name: torch.empty(place.shape, dtype=place.dtype, device="meta")
            for name, place in self.places.items()
        }

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the tensors that can be compressed: those that are, in memory.

        What is a mask is seen in the values: a few of them, unless those could be a mask's.
        """
        return tuple(name for name in compressible(self.meta_tensors) if not self._holds_mask(name))

    @property
    def size(self) -> int:
        """Bytes of all tensors."""
        return sum(place.size for place in self.places.values())

    @property
    def file_bytes(self) -> int:
        """Bytes of the files, headers included."""
        return sum(path.stat().st_size for path in self.files)

    @property
    def state(self) -> list[list[Any]]:
        """What changes when the files do: their names, sizes and times, and where tensors are."""
        about = [(path, path.stat()) for path in self.files]
        files = [[str(path.resolve()), one.st_size, one.st_mtime_ns] for path, one in about]
        return [*files, *([place.name, place.start] for place in self.places.values())]

    @contextmanager
    def tensor(self, name: str) -> Iterator[Tensor]:
        """Lend a tensor whose values stay in the file: they are read as they are looked at.

        Raises
        ------
        ArtifactError
            When the file cannot be read any more.
        """
        place = self.places[name]
        if not place.size:
            yield torch.empty(place.shape, dtype=place.dtype)
            return
        whole = place.start - place.start % mmap.ALLOCATIONGRANULARITY
        try:
            with place.path.open("rb") as stream:
                lent = mmap.mmap(  # a private copy: else PyTorch warns that nobody may write here
                    stream.fileno(), place.stop - whole, access=mmap.ACCESS_COPY, offset=whole
                )
        except (OSError, ValueError) as error:
            raise ArtifactError(f"Cannot read {place.path}: {error}.") from None
        flat = torch.frombuffer(
            lent,
            dtype=place.dtype,
            count=place.size // place.dtype.itemsize,
            offset=place.start - whole,
        )
        yield flat.view(place.shape)

    def _holds_mask(self, name: str) -> bool:
        with self.tensor(name) as weight:
            first = weight.reshape(-1)[:GLIMPSE]
            zero_or_more = (first == 0) | (first.abs() >= torch.finfo(first.dtype).max)
            return bool(zero_or_more.all()) and is_mask(weight)


def _title(path: Path) -> str:
    return path.resolve().parent.name if path.name.endswith(INDEX) else path.stem


def _of_folder(folder: Path) -> Path:
    for ending in (INDEX, FILE):
        found = sorted(folder.glob(f"*{ending}"))
        if len(found) == 1:
            return found[0]
        if found:
            raise ArtifactError(f"{folder} holds several files *{ending}: name one of them.")
    raise ArtifactError(f"{folder} holds no {FILE} file: name a folder that does.")


def _sharded(index: Path) -> tuple[dict[str, TensorLocation], tuple[Path, ...]]:
    where = _weight_map(index)
    shards = {name: index.parent / name for name in sorted(set(where.values()))}
    for name, path in shards.items():
        if not path.is_file():
            raise ArtifactError(f"{index} names the shard {name}, which is not beside it.")
    held = {name: safetensors_header.read(path) for name, path in shards.items()}
    found = {}
    for tensor, shard in where.items():
        if tensor not in held[shard]:
            raise ArtifactError(f"{index} looks for {tensor!r} in {shard}, which does not hold it.")
        found[tensor] = held[shard][tensor]
    for shard, tensors in held.items():
        for tensor in tensors:
            if where.get(tensor) != shard:
                raise ArtifactError(f"{shard} holds {tensor!r}, which {index} does not find there.")
    return found, (index, *shards.values())


def _weight_map(index: Path) -> dict[str, str]:
    try:
        content = json.loads(index.read_bytes())
    except OSError as error:
        raise ArtifactError(f"Cannot read {index}: {error.strerror}.") from None
    except (ValueError, RecursionError):
        content = None
    where = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(where, dict) or not all(map(_is_name, where.values())):
        raise ArtifactError(f"{index} is no index of shards: its weight_map does not make sense.")
    return where


def _is_name(value: Any) -> bool:
    """Whether an index may mean a file by `value`: one beside it, and nowhere else."""
    return isinstance(value, str) and value.endswith(FILE) and Path(value).name == value
