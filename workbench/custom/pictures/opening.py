"""Opens a folder or a zip archive of pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.custom.pictures.archive import open_archive
from workbench.custom.pictures.files import Files, Folder
from workbench.errors import file_errors, missing_file


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
        with file_errors("read", path):
            is_folder = path.is_dir()
            if not path.exists():
                raise missing_file(path)
        if is_folder:
            yield Folder(path)
            return
    with open_archive(source) as archive:
        yield archive
