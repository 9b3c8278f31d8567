"""The tensors of a checkpoint or of a Workbench file, one at a time, as a checkpoint holds them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.artifact import container
from workbench.artifact.header import MAX_DECODED_BYTES
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.artifact.original_dtype import original_dtype
from workbench.compression.coded import BUFFERS
from workbench.streaming.decompress import check_sizes, describe
from workbench.streaming.safetensors_header import DTYPE_NAMES, NUMERIC_DTYPES
from workbench.streaming.source import Source


class Kind(NamedTuple):
    """The safetensors dtype and the shape of a tensor."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class StoredTensors:
    """The tensors of a file, by name.

    Attributes
    ----------
    kinds : dict
        The dtype and the shape of each tensor.
    size : int
        Bytes of all tensors, uncompressed.
    """

    kinds: dict[str, Kind]
    size: int
    _open: Callable[[str], Iterator[Tensor]]

    @contextmanager
    def tensor(self, name: str) -> Iterator[Tensor]:
        """Yield the numbers of a tensor, or its bytes if PyTorch does not read its dtype."""
        for raw in self._open(name):
            kind = self.kinds[name]
            dtype = NUMERIC_DTYPES.get(kind.dtype, raw.dtype)
            yield raw if dtype == raw.dtype else _numbers(raw, dtype, kind.shape)


def open_tensors(
    path: str | os.PathLike[str],
    on_progress: Callable[[int, int], None] = lambda completed, total: None,
) -> StoredTensors:
    """Open a Workbench file, or a checkpoint as `Source.open` does.

    `on_progress` is called while the digest of a Workbench file is verified.

    Raises
    ------
    FileError
        If a file is missing or cannot be read.
    ArtifactError
        If a file is damaged or of another program, or a tensor decodes to more than one gigabyte
        and a thousand times its stream.
    """
    if is_workbench_file(path):
        return _of_artifact(OnDiskArtifact.open(path, on_progress))
    return _of_source(Source.open(Path(path)))


def is_workbench_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file starts like one that Workbench has written; False if it cannot be read."""
    try:
        with Path(path).open("rb") as stream:
            return container.has_own_start(stream.read(container.START_BYTES))
    except OSError:
        return False


def _numbers(raw: Tensor, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    """Return the numbers whose bytes a tensor [bytes] holds, at any offset of memory."""
    return raw.clone().view(dtype).view(shape) if raw.numel() else torch.empty(shape, dtype=dtype)


def _of_source(source: Source) -> StoredTensors:
    kinds = {
        name: Kind(place.stored_dtype, place.stored_shape)
        if place.stored_dtype
        else Kind(DTYPE_NAMES[place.dtype], place.shape)
        for name, place in source.locations.items()
    }

    def read(name: str) -> Iterator[Tensor]:
        with source.tensor(name) as tensor:
            yield tensor

    return StoredTensors(kinds, source.size, read)


def _of_artifact(artifact: OnDiskArtifact) -> StoredTensors:
    entries = artifact.entries
    check_sizes(entries, MAX_DECODED_BYTES)
    described = {name: describe(entry) for name, entry in entries.items()}
    kinds = {name: Kind(dtype, shape) for name, (dtype, shape, _size) in described.items()}

    def read(name: str) -> Iterator[Tensor]:
        yield artifact.tensor(name).tensor().to(BUFFERS[original_dtype(entries[name])])

    return StoredTensors(kinds, sum(size for *_, size in described.values()), read)
