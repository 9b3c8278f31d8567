"""A safetensors file in memory, such as an upload: its tensors, and its compressed bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from workbench.artifact import container
from workbench.artifact.changes import Changes
from workbench.artifact.foreign_files import START_BYTES, foreign_error
from workbench.artifact.repeated import MIN_BYTES, entry_key
from workbench.cancel import NEVER, CancelToken
from workbench.compression.codecs.stream import SAME_KEY, Entry
from workbench.compression.weight_error import WeightError
from workbench.recipe import Recipe
from workbench.streaming import safetensors_header
from workbench.streaming.compress import file_header, write_tensors
from workbench.streaming.masks import Progress
from workbench.streaming.resume import Finished
from workbench.streaming.source import Source, in_order
from workbench.streaming.supported import check_supported


@dataclass(frozen=True, eq=False)
class InMemorySource(Source):
    """The tensors of a safetensors file in memory, or only their names, dtypes and shapes.

    Attributes
    ----------
    content : bytes
        The file, or its beginning with the whole header.
    length : int
        The length of the file.
    """

    content: bytes = b""
    length: int = 0

    @classmethod
    def of(cls, name: str, content: bytes, length: int | None = None) -> InMemorySource:
        """Locate the tensors of a file of this name and length.

        Raises
        ------
        ArtifactError
            If it is damaged, of another program, or compressed already.
        """
        path, length = Path(name), len(content) if length is None else length
        error = foreign_error(path, content[:START_BYTES])
        if error is not None:
            raise error
        contents = safetensors_header.parse(path, BytesIO(content), length)
        return cls(
            path.stem, (path,), in_order(contents.tensors), contents.metadata, content, length
        )

    @property
    def has_values(self) -> bool:
        """Whether the values of the tensors are in memory."""
        return len(self.content) == self.length

    @property
    def file_bytes(self) -> int:
        """Bytes of the file."""
        return self.length

    def open_file(self, path: Path) -> BinaryIO:
        """Open the file for reading."""
        return BytesIO(self.content)

    @contextmanager
    def tensor(self, name: str) -> Iterator[Tensor]:
        """Yield a tensor; it shares no memory with the file."""
        place = self.locations[name]
        data = bytearray(memoryview(self.content)[place.start : place.stop])
        empty = torch.empty(place.shape, dtype=place.dtype)
        yield torch.frombuffer(data, dtype=place.dtype).view(place.shape) if data else empty

    def _is_mask(self, name: str) -> bool:
        return self.has_values and super()._is_mask(name)


@dataclass
class _Output:
    """The finished streams in memory, with the interface of `ResumableOutput`."""

    plan: Any = None
    entries: dict[str, Entry] = field(default_factory=dict)
    errors: dict[str, WeightError] = field(default_factory=dict)
    ties: int = 0
    streams: list[bytes] = field(default_factory=list)
    _firsts: dict[tuple[str, bytes], str] = field(default_factory=dict)

    def begin(self, plan: Any) -> None:
        self.plan = plan

    def add(self, name: str, tensor: Finished) -> None:
        entry, stream = tensor.entry, tensor.stream
        if len(stream) >= MIN_BYTES:
            first = self._firsts.setdefault((entry_key(entry), stream), name)
            if first != name:
                entry, stream = {**entry, SAME_KEY: first}, b""
        self.entries[name] = entry
        self.streams.append(stream)
        self.ties += tensor.ties
        if tensor.error is not None:
            self.errors[name] = tensor.error


def compress_in_memory(
    source: InMemorySource,
    recipe: Recipe,
    *,
    on_progress: Progress = lambda completed, total: None,
    cancel: CancelToken = NEVER,
) -> tuple[bytes, Changes]:
    """Return the bytes that `compress_file` writes for the same file, and what was changed.

    Raises
    ------
    RecipeError
        If the recipe needs a module or data, or does not fit the tensors.
    ArtifactError
        If a tensor is damaged, or there are too many.
    Cancelled
        If `cancel` is cancelled between two tensors.
    """
    check_supported(recipe)
    recipe.check_names(source.layers, source.locations)
    output, stream = _Output(), BytesIO()
    write_tensors(source, recipe, output, on_progress, cancel)
    header = {**file_header(source, recipe), "tensors": output.entries}
    container.write(stream, header, output.streams, sum(map(len, output.streams)))
    unchanged = tuple(name for name in source.locations if name not in output.errors)
    return stream.getvalue(), Changes(output.errors, unchanged)
