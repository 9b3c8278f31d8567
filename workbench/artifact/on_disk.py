"""An artifact that stays on disk: the header in memory, the tensors decoded one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from workbench.artifact import container
from workbench.artifact.artifact import decode, parse_recipe
from workbench.artifact.build_ledger import build_ledger
from workbench.artifact.changes import Changes
from workbench.artifact.foreign_files import check_own_kind
from workbench.artifact.header import check_entries, check_lengths
from workbench.artifact.ledger import Ledger
from workbench.artifact.preprocessing import PREPROCESSING_KEY
from workbench.artifact.writing import check_regular
from workbench.compression.codecs.stream import SAME_KEY, Entry, own_entry, parts
from workbench.compression.coded import Coded
from workbench.errors import file_errors
from workbench.recipe import Recipe

CHUNK_BYTES = 2**20


class OnDiskArtifact:
    """The header of a file and access to its tensors; memory use is small for any file size.

    Attributes
    ----------
    path : Path
    size : int
        The length of the file in bytes.
    changes : Changes or None
        What compression changed; only known to the call that compressed the file.
    """

    def __init__(self, path: Path, header: dict[str, Any], start: int, size: int) -> None:
        self.path = path
        self.size = size
        self.changes: Changes | None = None
        self._header = header
        self._start = start

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        on_progress: Callable[[int, int], None] = lambda completed, total: None,
    ) -> OnDiskArtifact:
        """Read the header of a file, and verify the digest of its content.

        `on_progress` is called with the bytes read so far and the total.

        Raises
        ------
        FileError
            If the file cannot be read.
        ArtifactError
            If the file is damaged or foreign.
        """
        source = Path(path)
        with file_errors("read", path):
            check_regular(source)
            check_own_kind(source)
            size = source.stat().st_size
            with source.open("rb") as stream:
                stored = container.read_header(stream, size)
                header = stored.verify(_chunks(stream, size, on_progress))
        check_entries(header)
        check_lengths(header, size - stored.data_start)
        parse_recipe(header)
        return cls(source, header, stored.data_start, size)

    @classmethod
    def from_header(cls, path: Path, header: dict[str, Any]) -> OnDiskArtifact:
        """Return the file that was just written to `path` with `header`."""
        size = path.stat().st_size
        return cls(path, header, size - sum(map(_length, header["tensors"].values())), size)

    def __repr__(self) -> str:
        return f"<File {self.path} of {self.model}, {self.size:,} bytes>"

    @property
    def model(self) -> str:
        """The name of the model, or of the tensor file, that was compressed."""
        return str(self._header["model"])

    @property
    def digest(self) -> str:
        """The SHA-256 that the file carries, in hexadecimal."""
        return str(self._header["sha256"])

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of the tensor file that was compressed."""
        return dict(self._header.get("metadata", {}))

    @property
    def preprocessing(self) -> dict[str, Any] | None:
        """How the file predicts from raw data, as plain data; None if it does not."""
        return self._header.get(PREPROCESSING_KEY)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that made the file."""
        return parse_recipe(self._header)

    @cached_property
    def ledger(self) -> Ledger:
        """The purpose of every byte; the total is the length of the file."""
        return build_ledger(self._header, self.size)

    @property
    def entries(self) -> dict[str, Entry]:
        """The header entry of each tensor by name, in the order of the streams."""
        return dict(self._header["tensors"])

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """The offset and the length of each stream."""
        spans, start = {}, self._start
        for name, entry in self._header["tensors"].items():
            spans[name] = start, _length(entry)
            start += spans[name][1]
        return spans

    def tensor(self, name: str) -> Coded:
        """Return the coded form of one tensor.

        Raises
        ------
        FileError
            If the file can no longer be read.
        ArtifactError
            If the stream does not match its header entry.
        """
        with file_errors("read", self.path), self.path.open("rb") as stream:
            return self._read(stream, name)

    def tensors(self) -> Iterator[tuple[str, Coded]]:
        """Yield the name and the coded form of each tensor, in the order of the streams.

        Raises
        ------
        FileError
            If the file can no longer be read.
        ArtifactError
            If a stream does not match its header entry.
        """
        with file_errors("read", self.path), self.path.open("rb") as stream:
            for name in self.entries:
                yield name, self._read(stream, name)

    def _read(self, stream: BinaryIO, name: str) -> Coded:
        entry = self._header["tensors"][name]
        start, length = self._spans[entry.get(SAME_KEY, name)]
        stream.seek(start)
        return decode(name, own_entry(entry), stream.read(length))


def _length(entry: Entry) -> int:
    return parts(entry).total


def _chunks(
    stream: BinaryIO, size: int, on_progress: Callable[[int, int], None]
) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        on_progress(stream.tell(), size)
        yield chunk
