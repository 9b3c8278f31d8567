"""The files of a folder or a zip archive, by their paths."""

from __future__ import annotations

import os
import stat
import unicodedata
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from workbench import formatting
from workbench.custom.uploads.limits import FILES, PICTURE_BYTES
from workbench.errors import FileError, InputError
from workbench.i18n import _


class TooLongError(Exception):
    """A file has more bytes than a picture may have."""


class UnreadableError(Exception):
    """A file cannot be read, or its bytes are damaged."""


class Files(Protocol):
    """Files by their paths, sorted; paths are in Unicode's composed form."""

    paths: tuple[PurePosixPath, ...]

    @abstractmethod
    def head(self, path: PurePosixPath, count: int) -> bytes:
        """Return up to `count` bytes from the start of a file."""

    @abstractmethod
    def content(self, path: PurePosixPath) -> bytes:
        """Return all bytes of a file.

        Raises
        ------
        TooLongError, UnreadableError
            If there are too many bytes, or they cannot be read.
        """


class Folder:
    """A folder of the disk; links in it are not followed."""

    def __init__(self, root: Path) -> None:
        self._files: dict[PurePosixPath, Path] = {}
        for path in _walk(root):
            if len(self._files) == FILES:
                raise too_many_files()
            self._files[normalized(path.relative_to(root).as_posix())] = path
        self.paths = tuple(sorted(self._files))

    def head(self, path: PurePosixPath, count: int) -> bytes:
        """Return up to `count` bytes from the start of a file."""
        try:
            with self._files[path].open("rb") as file:
                return file.read(count)
        except OSError:
            return b""

    def content(self, path: PurePosixPath) -> bytes:
        """Return all bytes of a file."""
        try:
            with self._files[path].open("rb") as file:
                content = file.read(PICTURE_BYTES + 1)
        except OSError:
            raise UnreadableError from None
        if len(content) > PICTURE_BYTES:
            raise TooLongError
        return content


def _walk(root: Path) -> Iterator[Path]:
    """Return the ordinary files of a folder and the folders in it."""
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        raise FileError(
            _("The folder {name} cannot be read: {error}").format(name=root, error=error.strerror),
            code="file.unreadable",
        ) from None
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            yield Path(entry.path)


def normalized(name: str) -> PurePosixPath:
    """Return a path with its letters in composed form, as most systems write them."""
    return PurePosixPath(unicodedata.normalize("NFC", name.replace("\\", "/")))


def too_many_files() -> InputError:
    """Return the error for a source of too many files."""
    return InputError(
        _("There are more than {count} files: keep fewer.").format(count=formatting.count(FILES)),
        code="upload.too_many_files",
    )
