"""A zip archive, read in memory and checked before anything is decompressed."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from workbench import formatting
from workbench.custom.pictures.archive_names import names_in
from workbench.custom.pictures.files import (
    TooLongError,
    UnreadableError,
    normalized,
    too_many_files,
)
from workbench.custom.uploads.limits import (
    FILES,
    IMAGES_BYTES,
    MAX_RATIO,
    PICTURE_BYTES,
    UNPACKED_BYTES,
)
from workbench.custom.uploads.splits import quoted
from workbench.errors import InputError
from workbench.i18n import _

MIN_PACKED_BYTES = 1_000
"""Compressed files are treated as at least this long, since ratios of short ones mean little."""
SMALL, SMALL_BYTES = 2**16, 2**25
"""Files of at most so many bytes stay in memory after their start is read, and all of these."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


class Archive:
    """The files of an open zip archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        entries = [info for info in archive.infolist() if not info.is_dir()]
        _check_entries(entries)
        self._archive = archive
        names = map(normalized, names_in(entries))
        self._entries = dict(zip(names, entries, strict=True))
        self.paths = tuple(sorted(self._entries))
        self._small: dict[PurePosixPath, bytes] = {}  # opening an entry again takes longest
        self._room = SMALL_BYTES

    def head(self, path: PurePosixPath, count: int) -> bytes:
        """Return up to `count` bytes from the start of a file; none if it is damaged."""
        size = self._entries[path].file_size
        if size <= min(SMALL, self._room):
            self._room -= size
            with suppress(UnreadableError):
                self._small[path] = self.content(path)
                return self._small[path][:count]
        try:
            with self._archive.open(self._entries[path]) as file:
                return file.read(count)
        except DAMAGE:
            return b""

    def content(self, path: PurePosixPath) -> bytes:
        """Return all bytes of a file, which must not be longer than its entry says."""
        if path in self._small:
            return self._small[path]
        info = self._entries[path]
        if info.file_size > PICTURE_BYTES:
            raise TooLongError
        try:
            with self._archive.open(info) as file:
                content = file.read(info.file_size + 1)
        except DAMAGE:
            raise UnreadableError from None
        if len(content) > info.file_size:
            raise UnreadableError
        return content


@contextmanager
def open_archive(source: str | os.PathLike[str] | bytes) -> Iterator[Archive]:
    """Open a zip file or the content of one.

    Raises
    ------
    InputError
        If it is too large, unsafe or not a zip archive.
    """
    length = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
    if length > IMAGES_BYTES:
        raise InputError(
            _("The archive is larger than {size}: use smaller or fewer images.").format(
                size=formatting.size(IMAGES_BYTES)
            ),
            code="upload.too_large",
        )
    try:
        file = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (*DAMAGE, zipfile.LargeZipFile, NotImplementedError):
        raise InputError(
            _("This is not a complete zip archive: pack the class folders as .zip again."),
            code="upload.not_zip",
        ) from None
    with file:
        yield Archive(file)


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Check the directory of an archive."""
    if len(entries) > FILES:
        raise too_many_files()
    for info in entries:
        if _escapes(info.filename):
            raise InputError(
                _("The archive contains a path outside of it, {name}: create it again.").format(
                    name=quoted(info.filename)
                ),
                code="upload.unsafe_path",
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputError(
                _("{name} in the archive is a link: add the image itself.").format(
                    name=quoted(info.filename)
                ),
                code="upload.link",
            )
        if info.flag_bits & 1:
            raise InputError(
                _("The archive is encrypted: create it without a password."),
                code="upload.encrypted",
            )
        if info.compress_type not in METHODS:
            raise InputError(
                _(
                    "The archive uses an unsupported compression method: create an ordinary zip "
                    "file."
                ),
                code="upload.compression_method",
            )
        packed = max(MIN_PACKED_BYTES, info.compress_size)
        if info.file_size > MAX_RATIO * packed:
            raise _too_large_unpacked()
    if sum(info.file_size for info in entries) > UNPACKED_BYTES:
        raise _too_large_unpacked()


def _too_large_unpacked() -> InputError:
    return InputError(
        _("The archive is not opened: it unpacks to far more data than images need."),
        code="upload.unpacks_too_large",
    )


def _escapes(name: str) -> bool:
    path = name.replace("\\", "/")
    return path.startswith("/") or path[1:2] == ":" or ".." in path.split("/")
