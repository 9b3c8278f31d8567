"""A file that stays on disk: its header in memory, its tensors decoded one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from workbench.artifact import container
from workbench.artifact.build_ledger import build_ledger
from workbench.artifact.header import check_entries, check_lengths
from workbench.artifact.ledger import Ledger
from workbench.compression.codecs.stream import Entry, parts, read
from workbench.compression.coded import Coded
from workbench.errors import ArtifactError, RecipeError
from workbench.recipe import Recipe

AT_ONCE = 2**20
"""Bytes that are read at a time."""


class OnDiskArtifact:
    """What a file says of itself, and its tensors; whatever its size, little of it is in memory."""

    def __init__(self, path: Path, header: dict[str, Any], start: int, size: int) -> None:
        self.path = path
        self.size = size
        self._header = header
        self._start = start

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> OnDiskArtifact:
        """Read the header of a file and check that everything behind it is what was written.

        `progress` is called with the bytes read and how many there are.

        Raises
        ------
        ArtifactError
            When the file is missing, unreadable, damaged or foreign.
        """
        source = Path(path)
        try:
            if source.exists() and not source.is_file():  # a device might be read for ever
                raise ArtifactError(f"{source} is not a file.")
            size = source.stat().st_size
            with source.open("rb") as stream:
                header, start = container.read_header(stream, size)
                container.check_digest(header, _pieces(stream, size, progress))
        except OSError as error:
            raise ArtifactError(f"Cannot read {path}: {error.strerror}.") from None
        check_entries(header)
        check_lengths(header, size - start)
        found = cls(source, header, start, size)
        found.recipe  # noqa: B018 - an unknown one is refused at once
        return found

    @classmethod
    def written(cls, path: Path, header: dict[str, Any]) -> OnDiskArtifact:
        """Return the file that was just written to `path` with `header`."""
        size = path.stat().st_size
        return cls(path, header, size - sum(map(_length, header["tensors"].values())), size)

    @property
    def model(self) -> str:
        """The name of what the tensors are of."""
        return str(self._header["model"])

    @property
    def digest(self) -> str:
        """The SHA-256 that the file carries, in hexadecimal."""
        return str(self._header["sha256"])

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that made the file."""
        try:
            return Recipe.from_json(self._header["recipe"])
        except RecipeError as error:
            raise ArtifactError(
                f"The file's recipe is not one this version knows: {error}"
            ) from None

    @cached_property
    def ledger(self) -> Ledger:
        """Where every byte is; its total is the length of the file."""
        return build_ledger(self.entries, self.size)

    @property
    def entries(self) -> dict[str, Entry]:
        """What the header says of each tensor, by name, in the order of their streams."""
        return dict(self._header["tensors"])

    def tensors(self) -> Iterator[tuple[str, Coded]]:
        """Yield each tensor as coded, with its name, in the order of their streams.

        Raises
        ------
        ArtifactError
            When a stream does not hold what its entry says, or cannot be read any more.
        """
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._start)
                for name, entry in self.entries.items():
                    yield name, _decoded(name, entry, stream.read(_length(entry)))
        except OSError as error:
            raise ArtifactError(f"Cannot read {self.path}: {error.strerror}.") from None


def _length(entry: Entry) -> int:
    return parts(entry).total


def _decoded(name: str, entry: Entry, stream: bytes) -> Coded:
    try:
        return read(entry, stream)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise ArtifactError(f"The stream of {name!r} is damaged: {error}.") from None


def _pieces(stream: BinaryIO, size: int, progress: Callable[[int, int], None]) -> Iterator[bytes]:
    while piece := stream.read(AT_ONCE):
        progress(stream.tell(), size)
        yield piece
