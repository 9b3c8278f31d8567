"""Opens a folder or a zip archive of pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.custom.pictures.archive import open_archive
from workbench.custom.pictures.files import Files, Folder
from workbench.errors import MissingFileError
from workbench.i18n import _


@contextmanager
def open_files(source: str | os.PathLike[str] | bytes) -> Iterator[Files]:
    """Open a folder, a zip archive or the content of one.

    Raises
    ------
    InputError
        If it has too many files, or is not a safe archive.
    FileError
        If there is no such file or folder.
    """
    if not isinstance(source, bytes):
        path = Path(source)
        if path.is_dir():
            yield Folder(path)
            return
        if not path.exists():
            raise MissingFileError(
                _("There is no file or folder {name}: check the path.").format(name=path),
                code="file.missing",
            )
    with open_archive(source) as archive:
        yield archive
